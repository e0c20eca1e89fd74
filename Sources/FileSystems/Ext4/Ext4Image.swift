internal import Base
public import Verity

/// An ext2, ext3 or ext4 file system, read only through blocks that are verified up to a root hash.
///
/// The kernel finds names of large directories by their hashes; here they are read as a whole, and a name that is there twice is
/// refused. A journal that has to be replayed is refused: what it holds would change what is read.
///
/// What keeps hash blocks from posing as data is the boot area, as for EROFS: 1024 zero bytes. A boot loader may lie there, and
/// where one does, this build does not read the file system: a superblock has too few fixed bits to tell it from digests that
/// were searched for.
public struct Ext4Image<Blocks: VerifiedBlocks & ~Copyable>: ~Copyable, VerifiedFileSystem {
  var blocks: Blocks
  let superblock: Ext4Superblock
  public let limits: FileSystemLimits
  let cache = Ext4Cache()

  public var format: FileSystemFormat { .ext4 }
  public var uuid: [UInt8]? { superblock.uuid }
  public var byteCount: UInt64 { superblock.byteCount }
  public var rootNid: UInt64 { Self.rootNumber }
  public var mayBeCompressed: Bool { false }

  /// `EXT4_ROOT_INO`.
  static var rootNumber: UInt64 { 2 }

  public mutating func forgetBlocks() { blocks.forget() }

  /// Hands out the verified device below.
  public func withBlocks<Result>(_ body: (borrowing Blocks) -> Result) -> Result { body(blocks) }

  /// Checks the superblock.
  public init(_ blocks: consuming Blocks, limits: FileSystemLimits = FileSystemLimits()) throws(FileSystemError) {
    let deviceBytes = try blocks.deviceByteCount(format: .ext4)
    let head = try blocks.bytes(
      byteCount: deviceBytes, at: Ext4Superblock.offset, count: Ext4Superblock.size, format: .ext4)
    let superblock = try Ext4Superblock(head)
    let bootArea = try blocks.bytes(
      byteCount: deviceBytes, at: 0, count: Int(Ext4Superblock.offset), format: .ext4)
    if let place = bootArea.rawSpan.firstNonzeroOffset {
      throw FileSystemError(
        .feature, offset: UInt64(place), expected: "1024 zero bytes before the superblock", found: "a boot loader",
        format: .ext4)
    }
    guard superblock.byteCount <= deviceBytes else {
      throw Ext4Superblock.error(
        .deviceSize, at: 4, expected: "at most the \(deviceBytes) bytes under the root hash",
        found: "\(superblock.blockCount) blocks of \(superblock.blockSize) bytes")
    }
    self.blocks = blocks
    self.superblock = superblock
    self.limits = limits
  }

  /// A private copy of verified bytes.
  func bytes(at offset: UInt64, count: Int) throws(FileSystemError) -> [UInt8] {
    try blocks.bytes(byteCount: byteCount, at: offset, count: count, format: .ext4)
  }

  /// A block of the file system, which has to be behind the superblock.
  func block(_ number: UInt64) throws(FileSystemError) -> [UInt8] {
    try require(number, count: 1)
    return try bytes(at: number * UInt64(superblock.blockSize), count: superblock.blockSize)
  }

  /// Refuses blocks that are not there (fs/ext4/block_validity.c, ext4_sb_block_valid).
  func require(_ first: UInt64, count: UInt64) throws(FileSystemError) {
    guard first > superblock.firstDataBlock, first < superblock.blockCount, count <= superblock.blockCount - first
    else {
      throw refusal(
        .range, expected: "blocks from \(superblock.firstDataBlock + 1) to \(superblock.blockCount)",
        found: "\(count) blocks from \(first)")
    }
  }

  func refusal(
    _ check: FileSystemError.Check, at offset: UInt64? = nil, expected: String, found: String
  ) -> FileSystemError {
    FileSystemError(check, offset: offset, expected: expected, found: found, format: .ext4)
  }

  /// Refuses metadata whose checksum is another one. It adds nothing to the root hash; where there is one, the kernel wants it
  /// to be right.
  func requireChecksum(_ computed: UInt32, _ stored: UInt32?, of what: String, at offset: UInt64)
    throws(FileSystemError)
  {
    guard computed == stored else {
      throw refusal(
        .metadataChecksum, at: offset, expected: "CRC-32C \(String(computed, radix: 16)) of \(what)",
        found: stored.map { String($0, radix: 16) } ?? "none")
    }
  }
}

/// What was worked out last: parts of one file, and names of the directories of one path, are asked for one after the other.
///
/// For one thread at a time, as the device below.
final class Ext4Cache {
  /// Where the inodes of a group are.
  var group: (number: UInt64, table: UInt64)?
  var extents: (nid: UInt64, extents: FileExtents)?
  private var directories: [Directory] = []

  /// A directory with its names in bytewise order.
  struct Directory {
    let nid: UInt64
    let parent: UInt64
    let names: [FileSystemName]
  }

  /// Directories that are kept, and the names that one may have to be kept with others.
  private static let directoryCount = 8
  private static let nameCount = 1 << 14

  func directory(_ nid: UInt64) -> Directory? { directories.first { $0.nid == nid } }

  func keep(_ directory: Directory) {
    if directory.names.count > Self.nameCount || directories.first?.names.count ?? 0 > Self.nameCount {
      directories = []
    }
    if directories.count == Self.directoryCount { directories.removeFirst() }
    directories.append(directory)
  }
}
