public import Base

/// Why a superblock, a tree or a block was refused.
///
/// Levels count from the leaves (0) to the root; indexes count blocks within their level or within the data; offsets
/// are bytes from the beginning of the source the block lies in.
public enum VerityError: Error, Equatable, Sendable {
  /// The source could not be read.
  case source(ByteSourceError)
  /// The sink could not be written.
  case sink(ByteSinkError)
  /// OpenSSL could not hash.
  case hashing(HashingError)
  /// A parameter is outside the whitelist.
  case parameter(FieldFault)
  /// There is no superblock at that offset: its signature is not there.
  case noSuperblock(offset: UInt64)
  /// A superblock's field is outside the whitelist.
  case superblock(FieldFault, offset: UInt64)
  /// A superblock's field has a value that the format knows, and this build does not support.
  case unsupported(FieldFault, offset: UInt64)
  /// A source is shorter than the superblock says.
  case truncated(Region, expected: UInt64, actual: UInt64)
  /// A source is longer than the superblock says, so that some of its bytes are under no hash.
  case trailingBytes(Region, expected: UInt64, actual: UInt64)
  /// Behind the tree, which ends at `treeEnd`, lies parity for error correction (FEC) with so many roots.
  case errorCorrection(offset: UInt64, roots: Int, treeEnd: UInt64)
  /// The data ends before or after the place of the superblock.
  case dataSize(blocks: UInt64, expected: UInt64, superblockOffset: UInt64)
  /// Bytes between the superblock and the first hash block are not zero.
  case gapNotZero(offset: UInt64)
  /// The block at the top does not have the root hash.
  case rootMismatch(offset: UInt64, expected: Digest, found: Digest)
  /// A hash block does not have the digest its parent holds.
  case treeMismatch(level: Int, index: UInt64, offset: UInt64, expected: Digest, found: Digest)
  /// A data block does not have the digest its leaf holds.
  case dataMismatch(index: UInt64, offset: UInt64, expected: Digest, found: Digest)
  /// Bytes after the last digest of a hash block are not zero. `offset` is the hash block's.
  case spareNotZero(level: Int, index: UInt64, offset: UInt64)
  /// The root hash was given in another algorithm than the tree's.
  case rootHashAlgorithm(expected: HashAlgorithm, found: HashAlgorithm)
  /// A block beyond the last was asked for.
  case blockOutOfRange(index: UInt64, count: UInt64)
  /// The verified blocks that are to be kept need more memory than allowed, in bytes.
  case memoryLimit(Int)
  /// The builder got fewer or more data blocks than it was made for.
  case blockCount(expected: UInt64, found: UInt64)
  /// The caller's progress function asked to stop.
  case cancelled

  /// The part of an image an error is about.
  public enum Region: String, Sendable, Hashable {
    case data
    case tree = "hash tree"
    case superblock
    case image
  }
}

/// A field whose value is not acceptable.
public struct FieldFault: Equatable, Sendable {
  /// The field in words: `hash type`.
  public let field: String
  /// Its value.
  public let found: String
  /// What is acceptable.
  public let allowed: String

  init(_ field: String, found: String, allowed: String) {
    self.field = field
    self.found = found
    self.allowed = allowed
  }
}
