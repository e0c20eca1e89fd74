/// A read-only file system whose every byte comes from verified blocks.
///
/// A reader of another format is a type that conforms, in a folder of its own, and a case of ``AnyFileSystem``. What it has to
/// know is how an inode, the names of a directory and the contents of a file lie in the blocks; walking, paths, limits and
/// names are the same for all and are not written again.
///
/// A reader follows no symbolic links, and accepts less than the kernel: whatever could be read in more than one way is refused.
public protocol VerifiedFileSystem: ~Copyable {
  /// Whose format it is.
  var format: FileSystemFormat { get }
  /// What it may have at most.
  var limits: FileSystemLimits { get }
  /// The file system's own identifier, 16 bytes; nil when its format has none.
  var uuid: [UInt8]? { get }
  /// Bytes that it takes from the beginning of the device. The device may be larger, of which nothing is read here.
  var byteCount: UInt64 { get }
  /// The number of the root directory.
  var rootNid: UInt64 { get }

  /// The inode of that number, its layout checked against the device.
  func inode(_ nid: UInt64) throws(FileSystemError) -> FileSystemInode

  /// The inode that the kernel shows as that number (`st_ino`) when the file system is mounted.
  func inode(numbered number: UInt64) throws(FileSystemError) -> FileSystemInode

  /// The next names of a directory in bytewise order, without `.` and `..`; nil behind the last. So many as lie in a few blocks
  /// are read at a time, and none but those.
  func nextNames(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]?

  /// One name of a directory; nil when it is not there, and for `.` and `..`. Reads as little of the directory as the format
  /// allows, and so checks less than ``names(in:parent:)``.
  func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName?

  /// A private copy of a part of what a file, directory or symbolic link holds, as far as it has it. Nothing else of it is
  /// read, but for the rest of what was compressed together with the part.
  func contents(of inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8]

  /// A stretch of the device that holds contents of a file and of nothing that the file system needs otherwise, in bytes; nil
  /// when the file has none. What is changed there changes the file.
  func storedPlace(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>?

  /// Whether the file system says that files of it are compressed. Old ones do not say it.
  var mayBeCompressed: Bool { get }

  /// Why the contents of an inode could not be read by this build on this host, although nothing is wrong with them; nil when
  /// they can. Reads no contents.
  func obstacle(to inode: FileSystemInode) throws(FileSystemError) -> FileSystemError?

  /// Gives back the memory of the blocks that were verified so far; one that is asked for again is read and verified again.
  mutating func forgetBlocks()

  /// Has the blocks verified together that lie from the first to the last of some inodes, when they are no more than
  /// `limit` bytes. What does not verify is met again when it is read.
  func proveAround(_ nids: [UInt64], limit: UInt64)
}

extension VerifiedFileSystem where Self: ~Copyable {
  public func proveAround(_ nids: [UInt64], limit: UInt64) {}

  /// Where directory entries name inodes by what the kernel shows.
  public func inode(numbered number: UInt64) throws(FileSystemError) -> FileSystemInode { try inode(number) }

  /// The names in a directory in bytewise order, without `.` and `..`.
  ///
  /// - Parameter parent: the directory that holds this one; the root's is itself.
  public func names(in directory: FileSystemInode, parent: UInt64) throws(FileSystemError) -> [FileSystemName] {
    var progress = DirectoryProgress(directory, parent: parent)
    var names: [FileSystemName] = []
    while let more = try nextNames(&progress) { names += more }
    return names
  }

  /// A private copy of a regular file's contents, every byte of it verified.
  ///
  /// - Parameter limit: the most bytes the file may have.
  public func readFile(_ inode: FileSystemInode, limit: Int) throws(FileSystemError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try contents(of: inode, limit: limit)
  }

  /// A private copy of the beginning of a regular file: `count` bytes, or all when it has fewer. Nothing else of the
  /// file is read.
  public func readPrefix(of inode: FileSystemInode, count: Int) throws(FileSystemError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try contents(of: inode, limit: limits.fileBytes, prefix: count)
  }

  /// A private copy of a part of a regular file, as far as the file has it. Nothing else of the file is read.
  public func readFile(_ inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try contents(of: inode, in: range)
  }

  /// What a symbolic link says. A reader never follows one.
  public func linkTarget(_ inode: FileSystemInode) throws(FileSystemError) -> [UInt8] {
    guard inode.kind == .symbolicLink else { throw wrongKind(inode, expected: .symbolicLink) }
    return try contents(of: inode, limit: limits.pathBytes)
  }

  func wrongKind(_ inode: FileSystemInode, expected: FileSystemInode.Kind) -> FileSystemError {
    FileSystemError(
      .wrongKind, nid: inode.nid, offset: inode.offset, expected: "a \(expected.name)", found: "a \(inode.kind.name)",
      format: format)
  }

  /// - Parameter prefix: the most bytes that are wanted; the rest is left unread.
  func contents(of inode: FileSystemInode, limit: Int, prefix: Int = .max) throws(FileSystemError) -> [UInt8] {
    guard inode.size <= UInt64(clamping: limit) else {
      throw FileSystemError(
        .limit, nid: inode.nid, offset: inode.offset, expected: "a \(inode.kind.name) of at most \(limit) bytes",
        found: "\(inode.size) bytes", format: format)
    }
    return try contents(of: inode, in: 0..<UInt64(clamping: prefix))
  }
}
