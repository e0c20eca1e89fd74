internal import Base
internal import CLinuxShim
internal import Glibc
internal import KernelABI

/// Directories by path, for the tools that read and write ordinary files.
public enum Directory {
  /// The names in a directory without `.` and `..`, sorted bytewise.
  public static func names(_ path: String) throws(SystemError) -> [String] {
    guard let stream = unsafe opendir(path) else { throw .current("opendir", path: path) }
    return try unsafe names(in: stream, path: path)
  }

  /// The same of an open directory.
  ///
  /// - Parameter path: where it was opened, for the error.
  static func names(of directory: borrowing OwnedFD, path: String) throws(SystemError) -> [String] {
    let copy = directory.withRaw { vb_fcntl_dupfd_cloexec($0) }
    guard copy >= 0 else { throw .current("fcntl F_DUPFD_CLOEXEC", path: path) }
    guard let stream = unsafe fdopendir(copy) else {
      let error = SystemError.current("fdopendir", path: path)
      vb_close(copy)
      throw error
    }
    return try unsafe names(in: stream, path: path)
  }

  /// Reads the names and closes the stream.
  private static func names(in stream: OpaquePointer, path: String) throws(SystemError) -> [String] {
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      Glibc.errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    guard Glibc.errno == 0 else { throw .current("readdir", path: path) }
    return names.sortedBytewise()
  }

  /// The path from the root: the current directory before a relative one (getcwd(3)).
  public static func absolute(_ path: String) throws(SystemError) -> String {
    if path.hasPrefix("/") { return path }
    guard let current = unsafe getcwd(nil, 0) else { throw .current("getcwd") }
    defer { unsafe free(current) }
    return "\(unsafe String(cString: current))/\(path)"
  }

  /// The path from the root without symbolic links (realpath(3)). It has to lead to something.
  public static func resolved(_ path: String) throws(SystemError) -> String {
    guard let resolved = unsafe realpath(path, nil) else { throw .current("realpath", path: path) }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// What a symbolic link says (readlink(2)), one of procfs too.
  public static func linkTarget(_ path: String) throws(SystemError) -> String {
    var target = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &target, target.count)
    guard count >= 0 else { throw .current("readlink", path: path) }
    return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// mkdir(2).
  public static func create(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
    guard unsafe mkdir(path, mode_t(mode)) == 0 else { throw .current("mkdir", path: path) }
  }

  /// rename(2): whatever has the new name is replaced.
  public static func rename(_ path: String, to other: String) throws(SystemError) {
    guard unsafe Glibc.rename(path, other) == 0 else { throw .current("rename", path: path) }
  }

  /// A new private directory below `parent` (by default `TMPDIR` or /tmp), registered for ``Cleanup``.
  public static func createTemporary(prefix: String, in parent: String? = nil) throws(SystemError) -> String {
    let environment = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
    let base = parent ?? environment ?? "/tmp"
    var template = Array("\(base)/\(prefix)-XXXXXX".utf8CString)
    var failure = SystemError("mkdtemp", path: "\(base)/\(prefix)-XXXXXX", errno: 0)
    let made = Cleanup.register {
      unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
        if let address = buffer.baseAddress, let result = unsafe mkdtemp(address) {
          return unsafe String(cString: result)
        }
        failure = .current(failure.operation, path: failure.path)
        return nil
      }
    }
    guard let made else { throw failure }
    return made
  }
}

extension Directory {
  /// Removes the temporary files of ``PendingFile`` that killed runs have left in a directory.
  public static func collectLeftovers(_ path: String) { Leftovers.collectFiles(in: path) }

  /// chmod(2): the permission bits as given, whatever the umask.
  public static func setPermissions(_ path: String, _ mode: UInt32) throws(SystemError) {
    guard unsafe chmod(path, mode_t(mode)) == 0 else { throw .current("chmod", path: path) }
  }
}

/// A private directory with one owner; it and everything below it are removed when the owner goes, or the process is
/// told to stop. What killed runs have left under the same prefix is removed by the next.
public struct PrivateDirectory: ~Copyable {
  public let path: String
  /// Locked as long as the directory is in use.
  private let claim: OwnedFD

  /// Makes a directory only this user can enter, below `parent` (by default `TMPDIR` or /tmp).
  ///
  /// - Parameter prefix: begins a name that nobody else gives to a directory.
  public init(prefix: String, in parent: String? = nil) throws(SystemError) {
    let base = parent ?? Environment.value("TMPDIR") ?? "/tmp"
    Leftovers.collectDirectories(in: base, prefix: prefix)
    while true {
      let made = try Directory.createTemporary(prefix: prefix, in: base)
      let held: OwnedFD
      do throws(SystemError) {
        held = try OwnedFD.open(made, [.readOnly, .directory, .noFollow])
      } catch {
        Cleanup.remove(made)
        // Another run took the new one for left over.
        if error.code == .enoent { continue }
        throw error
      }
      guard Leftovers.claim(held, at: made) else {
        Cleanup.forget(made)
        continue
      }
      path = made
      claim = held
      return
    }
  }

  deinit { Cleanup.remove(path) }
}
