public import Base
public import Verity

/// A squashfs 4.0 file system, read only through blocks that are verified up to a root hash.
///
/// An inode is named by its reference: where its block of metadata is in the table of inodes, shifted by 16 bits, and where it
/// is in what that block makes. What the kernel shows as `st_ino` is another number, which the inode holds.
///
/// What keeps hash blocks from posing as data is the superblock: its first 32 bytes, where a hash block has one digest, have
/// 120 fixed bits and more. Extended attributes are not read; nothing that is read here depends on them.
public struct SquashfsImage<Blocks: VerifiedBlocks & ~Copyable>: ~Copyable, VerifiedFileSystem {
  private var blocks: Blocks
  let superblock: SquashfsSuperblock
  public let limits: FileSystemLimits
  /// Undoes what blocks are compressed by.
  let decompressor: any BlockDecompressor
  let cache = SquashfsCache()

  public var format: FileSystemFormat { .squashfs }
  /// The format has none.
  public var uuid: [UInt8]? { nil }
  public var byteCount: UInt64 { superblock.byteCount }
  public var rootNid: UInt64 { superblock.root }
  public var mayBeCompressed: Bool { true }

  public mutating func forgetBlocks() { blocks.forget() }

  /// Hands out the verified device below.
  public func withBlocks<Result>(_ body: (borrowing Blocks) -> Result) -> Result { body(blocks) }

  /// Checks the superblock.
  ///
  /// - Parameter decompressor: undoes what blocks are compressed by.
  public init(
    _ blocks: consuming Blocks, limits: FileSystemLimits = FileSystemLimits(),
    decompressor: any BlockDecompressor = LibraryBlockDecompressor()
  ) throws(FileSystemError) {
    let deviceBytes = try blocks.deviceByteCount(format: .squashfs)
    let head = try blocks.bytes(byteCount: deviceBytes, at: 0, count: SquashfsSuperblock.size, format: .squashfs)
    let superblock = try SquashfsSuperblock(head.rawSpan)
    guard superblock.byteCount <= deviceBytes else {
      throw SquashfsSuperblock.error(
        .deviceSize, at: 40, expected: "at most the \(deviceBytes) bytes under the root hash",
        found: "\(superblock.byteCount) bytes")
    }
    self.blocks = blocks
    self.superblock = superblock
    self.limits = limits
    self.decompressor = decompressor
  }

  /// A private copy of verified bytes.
  func bytes(at offset: UInt64, count: Int) throws(FileSystemError) -> [UInt8] {
    try blocks.bytes(byteCount: byteCount, at: offset, count: count, format: .squashfs)
  }

  func refusal(
    _ check: FileSystemError.Check, at offset: UInt64? = nil, expected: String, found: String
  ) -> FileSystemError {
    FileSystemError(check, offset: offset, expected: expected, found: found, format: .squashfs)
  }

  /// What a compressed block makes.
  ///
  /// - Parameter limit: bytes that it may make.
  func decompressed(_ stored: [UInt8], at place: UInt64, limit: Int) throws(FileSystemError) -> [UInt8] {
    do throws(BlockDecompressionError) {
      return try decompressor.decompress(whole: stored.rawSpan, superblock.compression, limit: limit)
    } catch {
      throw refusal(error, at: place, limit: limit)
    }
  }

  func refusal(_ error: BlockDecompressionError, at place: UInt64, limit: Int) -> FileSystemError {
    switch error {
    case .unavailable(let compression, let reason):
      FileSystemError(
        .missingLibrary, expected: "\(compression.soname), which undoes \(compression.name)", found: reason,
        compression: compression, format: .squashfs)
    case .damaged(let compression):
      refusal(
        .cluster, at: place, expected: "\(compression.name) that makes at most \(limit) bytes and ends with the block",
        found: "something else")
    }
  }
}

/// What was decompressed last, and the table of identifiers once it was asked for. What an image makes it hold is bounded.
///
/// For one thread at a time, as the device below.
final class SquashfsCache {
  /// A block of metadata: what it makes, and where the next one is.
  struct Metadata {
    let place: UInt64
    let next: UInt64
    let bytes: [UInt8]
  }

  /// Names of a directory lead to inodes in a few blocks, and a file to its fragment's entry.
  private static let metadataCount = 32
  /// Neighbouring files lie in one fragment, and a file is read in parts.
  private static let blockCount = 3

  private var metadata: [Metadata] = []
  private var nextMetadata = 0
  private var blocks: [(place: UInt64, bytes: [UInt8])] = []
  private var nextBlock = 0
  var identifiers: [UInt32]?
  /// Whether the library that undoes the compression was there; nil when nobody has tried.
  var obstacle: FileSystemError??

  func metadata(at place: UInt64) -> Metadata? { metadata.first { $0.place == place } }

  func keep(_ block: Metadata) {
    if metadata.count < Self.metadataCount { return metadata.append(block) }
    metadata[nextMetadata] = block
    nextMetadata = (nextMetadata + 1) % Self.metadataCount
  }

  func block(at place: UInt64) -> [UInt8]? { blocks.first { $0.place == place }?.bytes }

  func keep(_ bytes: [UInt8], at place: UInt64) {
    if blocks.count < Self.blockCount { return blocks.append((place, bytes)) }
    blocks[nextBlock] = (place, bytes)
    nextBlock = (nextBlock + 1) % Self.blockCount
  }
}
