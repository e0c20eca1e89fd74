internal import Base
internal import KernelABI
internal import Linux

/// One of the files of the audit log. A record in it is whole or not there.
///
/// Written under the log's lock only. Whatever others leave behind (a record cut by a power cut, or by SIGKILL in the
/// middle of a write), the next record begins on a line of its own.
struct AuditFile: ~Copyable, Sendable {
  let name: String
  private var descriptor: OwnedFD
  private var identity: Identity
  /// Where our own last record ended; what is there is known to be a line feed.
  private var ownEnd: UInt64?
  /// Where the record that was written last begins, until it is known to stay.
  private var lastStart: UInt64?
  /// Whether the directory entry was not synced since the file was opened.
  private var isNew = true

  private struct Identity: Equatable {
    let device: DeviceNumber
    let inode: UInt64
    init(_ status: FileStatus) {
      device = status.device
      inode = status.inode
    }
  }

  static func open(_ name: String, in directory: borrowing AuditDirectory) throws(AuditError) -> AuditFile {
    let descriptor = try directory.open(name, .append)
    let status = try status(of: descriptor, in: directory)
    return AuditFile(name: name, descriptor: descriptor, identity: Identity(status))
  }

  private init(name: String, descriptor: consuming OwnedFD, identity: Identity) {
    self.name = name
    self.descriptor = descriptor
    self.identity = identity
  }

  private static func status(
    of descriptor: borrowing OwnedFD, in directory: borrowing AuditDirectory
  ) throws(AuditError) -> FileStatus {
    do throws(SystemError) {
      return try descriptor.status()
    } catch {
      throw .unwritable(directory: directory.path, error)
    }
  }

  /// The file that has the name now, and its size: after a rotation that is another one than the one that was open.
  mutating func place(
    in directory: borrowing AuditDirectory
  ) throws(AuditError) -> (inode: UInt64, size: UInt64, isReplaced: Bool) {
    if let status = try directory.status(name), Identity(status) == identity {
      return (status.inode, status.size, false)
    }
    descriptor = try directory.open(name, .append)
    let status = try Self.status(of: descriptor, in: directory)
    identity = Identity(status)
    (ownEnd, isNew) = (nil, true)
    return (status.inode, status.size, true)
  }

  /// The size of the file that is open, where it is known to have its name still.
  borrowing func end(in directory: borrowing AuditDirectory) throws(AuditError) -> UInt64 {
    do throws(SystemError) { return try descriptor.end() } catch { throw .unwritable(directory: directory.path, error) }
  }

  /// Appends lines, each with its line feed: all of them, or none.
  ///
  /// - Parameter start: where the file ends, as ``place(in:)`` has just said.
  mutating func append(
    _ lines: [UInt8], at start: UInt64, in directory: borrowing AuditDirectory
  ) throws(AuditError) {
    lastStart = nil
    guard !lines.isEmpty else { return }
    do throws(SystemError) {
      let needsLineFeed = start > 0 && start != ownEnd ? try byte(before: start) != UInt8(ascii: "\n") : false
      let bytes = needsLineFeed ? [UInt8(ascii: "\n")] + lines : lines
      lastStart = start
      try descriptor.writeAll(bytes.rawSpan)
      ownEnd = start + UInt64(bytes.count)
    } catch {
      takeBack()
      throw .unwritable(directory: directory.path, error)
    }
  }

  /// Cuts the file back to where it ended before the last ``append(_:in:)``.
  mutating func takeBack() {
    guard let start = lastStart else { return }
    (lastStart, ownEnd) = (nil, nil)
    // Another process may have emptied the file meanwhile, and cutting it must never make it longer. What cannot be cut (a file
    // that may only grow, chattr +a) is ended by the line feed that the next record begins with.
    guard let size = try? descriptor.status().size, size > start else { return }
    try? descriptor.truncate(to: start)
  }

  /// Has the kernel write what was appended to the disk.
  mutating func sync(in directory: borrowing AuditDirectory) throws(SystemError) {
    try descriptor.syncData()
    guard isNew else { return }
    try directory.descriptor.sync()
    isNew = false
  }

  private borrowing func byte(before end: UInt64) throws(SystemError) -> UInt8? {
    var byte: [UInt8] = [0]
    return try descriptor.readFully(at: end - 1, into: &byte) ? byte[0] : nil
  }
}
