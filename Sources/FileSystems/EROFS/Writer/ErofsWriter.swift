public import Base

/// Writes an uncompressed EROFS file system of regular files from its beginning to its end, in bounded memory.
///
/// What comes out is a function of the paths, the contents and their order: owners are root, times 0, files can be read
/// by everybody and written by nobody, and there is nothing else. The whole blocks of each file lie together; the rest
/// of it lies behind its inode, in a block shared with others (`BlockStream`). Inode numbers count from block 0, so an
/// inode can be anywhere, and metadata need not be known before the contents are written.
///
/// One file comes last, and its contents may depend on the number of blocks: see ``end(with:byteCount:to:)``.
public struct ErofsWriter: ~Copyable, Sendable {
  /// Bytes a block has.
  public static let blockSize = BlockStream.blockSize

  /// Block 0 is written at the end: it holds the superblock and the root directory's inode.
  private var stream = BlockStream(from: 1)
  private let limits: FileSystemLimits
  private var tree: DirectoryTree
  private var inodeCount: UInt32 = 0

  /// - Parameter limits: what a reader takes at most.
  public init(limits: FileSystemLimits = FileSystemLimits()) {
    self.limits = limits
    tree = DirectoryTree(limits: limits)
  }

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - path: relative to the root, components separated by `/`; the directories above it are made.
  ///   - isExecutable: whether all users may execute it.
  ///   - sink: what holds the image; the same one each time.
  /// - Throws: ``ErofsWriterError/badPath(_:found:)``, ``ErofsWriterError/limit(path:allowed:found:)``,
  ///   ``ErofsWriterError/tooLarge`` or ``ErofsWriterError/sink(_:)``.
  public mutating func add(
    _ path: String, _ contents: borrowing RawSpan, isExecutable: Bool = false, to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) {
    try requireFileSize(UInt64(contents.byteCount), path)
    var record = newInode(.regular, size: UInt64(contents.byteCount))
    record.isExecutable = isExecutable
    let tail = record.tailSize()
    let start = try stream.append(contents.extracting(0..<contents.byteCount - tail), to: &sink)
    var bytes = record.bytes(start: start, isInline: tail > 0)
    bytes.append(copying: contents.extracting(contents.byteCount - tail..<contents.byteCount))
    try tree.add(path, nid: try stream.place(bytes, to: &sink) / UInt64(BlockStream.slotSize))
  }

  /// Adds the last file, of which only the size is known, and all directories. Nothing can be added afterwards.
  ///
  /// - Returns: what is still to be written, and how many blocks the file system has.
  /// - Throws: ``ErofsWriterError``, also when two files have one path.
  public mutating func end(
    with path: String, byteCount: UInt64, to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> ErofsEnding {
    try requireFileSize(byteCount, path)
    let record = newInode(.regular, size: byteCount)
    let reserved = try stream.skip(byteCount: byteCount, to: &sink)
    let place = try stream.place(record.bytes(start: reserved, isInline: false), to: &sink)
    try tree.add(path, nid: place / UInt64(BlockStream.slotSize))
    let root = try addDirectories(to: &sink)
    return ErofsEnding(
      blockCount: stream.end, inodeCount: UInt64(inodeCount), root: root, reserved: reserved, reservedSize: byteCount)
  }

  private func requireFileSize(_ byteCount: UInt64, _ path: String) throws(ErofsWriterError) {
    guard byteCount <= UInt64(clamping: limits.fileBytes) else {
      throw .limit(path: path, allowed: limits.allowed(.file), found: "\(byteCount) bytes")
    }
  }

  private mutating func newInode(_ kind: FileSystemInode.Kind, size: UInt64, linkCount: UInt32 = 1) -> InodeRecord {
    inodeCount &+= 1  // files have at least 32 bytes, so there are no more than block numbers allow
    return InodeRecord(kind: kind, size: size, linkCount: linkCount, number: inodeCount)
  }

  /// A directory that has its place.
  private struct PlacedDirectory {
    let start: UInt32?
    let nid: UInt64
    let tail: Int
    let record: InodeRecord
  }

  /// Finds the places of all directories, then fills them in: each names the places of others.
  ///
  /// - Returns: the root's inode with what follows it.
  private mutating func addDirectories(
    to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> [UInt8] {
    try tree.sort()
    stream.hold()
    var placed: [PlacedDirectory] = []
    for (index, directory) in tree.directories.enumerated() {
      placed.append(try place(directory, isRoot: index == 0, to: &sink))
    }
    tree.assign(placed.map(\.nid))
    var root: [UInt8] = []
    for (index, (place, directory)) in zip(placed, tree.directories).enumerated() {
      let contents = directory.contents
      let head = contents.count - place.tail
      if let start = place.start { stream.fill(contents[..<head], at: UInt64(start) * UInt64(Self.blockSize)) }
      let bytes = place.record.bytes(start: place.start, isInline: place.tail > 0) + contents[head...]
      if index == 0 { root = bytes } else { stream.fill(bytes[...], at: place.nid * UInt64(BlockStream.slotSize)) }
    }
    try stream.flush(to: &sink)
    return root
  }

  private mutating func place(
    _ directory: DirectoryTree.Directory, isRoot: Bool, to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> PlacedDirectory {
    let size = directory.byteCount
    let record = newInode(.directory, size: UInt64(size), linkCount: 2 &+ directory.subdirectoryCount)
    let tail = record.tailSize(room: isRoot ? Self.blockSize - ErofsEnding.rootOffset : Self.blockSize)
    let start = try stream.append([UInt8](repeating: 0, count: size - tail).rawSpan, to: &sink)
    let offset =
      isRoot
      ? UInt64(ErofsEnding.rootOffset)
      : try stream.place([UInt8](repeating: 0, count: record.byteCount + tail), to: &sink)
    return PlacedDirectory(start: start, nid: offset / UInt64(BlockStream.slotSize), tail: tail, record: record)
  }
}
