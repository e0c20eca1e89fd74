internal import KernelABI
internal import Linux

/// The directory of the audit log, held open: its files are opened in it, wherever its path leads to by then.
///
/// Records are written only where nobody but the owner can change them, and only into regular files, so that no FIFO or
/// device can hold a load up or swallow its record. What is there is looked at on the open descriptor.
struct AuditDirectory: ~Copyable, Sendable {
  let path: String
  let descriptor: OwnedFD

  /// Opens the directory, making it when it is missing: for its owner alone.
  static func open(_ path: String) throws(AuditError) -> AuditDirectory {
    var path = path
    // With a slash behind it, a symbolic link would be followed.
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if let kind = try kind(at: path) {
      try require(kind, .directory, path)
    } else {
      try recording(in: path) { () throws(SystemError) in try make(path) }
    }
    let descriptor = try recording(in: path) { () throws(SystemError) in
      try OwnedFD.open(path, [.readOnly, .directory, .noFollow, .nonBlocking])
    }
    let status = try recording(in: path) { () throws(SystemError) in try descriptor.status() }
    try require(status, .directory, path)
    return AuditDirectory(path: path, descriptor: descriptor)
  }

  /// Refuses a directory that records could not be written to, and makes nothing in it.
  static func requireUsable(_ path: String) throws(AuditError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard try kind(at: path) != nil else {
      let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      return try recording(in: path) { () throws(SystemError) in try Directory.requireWritable(parent) }
    }
    let directory = try open(path)
    try recording(in: path) { () throws(SystemError) in try Directory.requireWritable(path) }
    for name in [AuditLog.lockName, AuditLog.textName, AuditLog.objectsName] {
      if let status = try directory.status(name) { try require(status, .regular, "\(path)/\(name)") }
    }
  }

  /// Opens a file of the directory for reading and writing, making it when it is missing.
  ///
  /// - Parameter flags: besides those that every file is opened with.
  borrowing func open(_ name: String, _ flags: OpenFlags = []) throws(AuditError) -> OwnedFD {
    // Looked at before it is opened: opening a device can do things.
    if let status = try status(name) { try Self.require(status.kind, .regular, "\(path)/\(name)") }
    let file = try Self.recording(in: path) { () throws(SystemError) in
      try descriptor.open(at: name, flags.union([.readWrite, .create, .noFollow, .nonBlocking]), mode: 0o600)
    }
    let status = try Self.recording(in: path) { () throws(SystemError) in try file.status() }
    try Self.require(status, .regular, "\(path)/\(name)")
    return file
  }

  /// What has a name in the directory; nil when nothing has.
  borrowing func status(_ name: String) throws(AuditError) -> FileStatus? {
    do throws(SystemError) {
      return try descriptor.status(at: name)
    } catch {
      guard error.code == .enoent else { throw .unwritable(directory: path, error) }
      return nil
    }
  }

  /// Does something without which nothing can be recorded.
  static func recording<R: ~Copyable>(
    in path: String, _ body: () throws(SystemError) -> R
  ) throws(AuditError) -> R {
    do throws(SystemError) { return try body() } catch { throw .unwritable(directory: path, error) }
  }

  private static func kind(at path: String) throws(AuditError) -> FileStatus.Kind? {
    do throws(SystemError) {
      return try FileStatus.of(path: path, followLinks: false).kind
    } catch {
      guard error.code == .enoent else { throw .unwritable(directory: path, error) }
      return nil
    }
  }

  private static func make(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try Directory.create(path, mode: 0o700)
    } catch {
      guard error.code == .eexist else { throw error }
    }
  }

  private static func require(_ status: FileStatus, _ kind: FileStatus.Kind, _ path: String) throws(AuditError) {
    try require(status.kind, kind, path)
    let user = ProcessIdentity.effectiveUser
    guard status.owner == 0 || status.owner == UInt64(user) else {
      let owners = user == 0 ? "root" : "root or user \(user)"
      throw .place(
        path: path, expected: "a \(kind.words) that belongs to \(owners)",
        found: "it belongs to user \(status.owner)")
    }
    guard status.mode & 0o022 == 0 else {
      throw .place(
        path: path, expected: "a \(kind.words) that only its owner may write",
        found: "mode \(String(status.mode, radix: 8))")
    }
  }

  private static func require(
    _ found: FileStatus.Kind, _ kind: FileStatus.Kind, _ path: String
  ) throws(AuditError) {
    guard found != kind else { return }
    throw .place(path: path, expected: "a \(kind.words)", found: "a \(found.words)")
  }
}

extension FileStatus.Kind {
  fileprivate var words: String { self == .regular ? "regular file" : rawValue }
}
