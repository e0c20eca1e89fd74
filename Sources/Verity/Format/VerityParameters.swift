public import Base

/// What a dm-verity tree is made with, already held against the whitelist.
///
/// The format knows more than is accepted here (cryptsetup's `verity_format` takes any hash name, hash type 0 and
/// blocks up to 512 KiB). Each limit closes a way to give two meanings to one root hash: hash type 0 puts the salt
/// after the block, so that a shifted block verifies; and salts of more than 256 bytes could be traded against the
/// block size.
public struct VerityParameters: Hashable, Sendable {
  /// SHA-256 or SHA-512.
  public let algorithm: HashAlgorithm
  let dataBlock: BlockSize
  let hashBlock: BlockSize
  /// Number of data blocks, at least one.
  public let dataBlockCount: UInt64
  /// At most 256 bytes, hashed before every block.
  public let salt: [UInt8]

  /// The algorithms accepted. Their digests' sizes are powers of two, so the slots of a hash block have no padding.
  public static let algorithms: [HashAlgorithm] = [.sha256, .sha512]
  /// The block sizes accepted, in bytes.
  public static let blockSizes = BlockSize.dmVerity
  /// The largest block that cryptsetup makes, in bytes (`VERITY_BLOCK_SIZE_OK` in lib/verity/verity.h).
  static let largestBlockSize: UInt32 = 512 << 10
  /// The most bytes a salt may have (`VERITY_MAX_SALT_SIZE` in cryptsetup, `salt[256]` on disk).
  public static let maximumSaltSize = 256
  /// The most bytes a device may have: the kernel's `loff_t` is signed.
  public static let maximumByteCount = UInt64(Int64.max)

  /// - Throws: ``VerityError/parameter(_:)`` naming the first value that is not acceptable.
  public init(
    algorithm: HashAlgorithm = .sha256, dataBlockSize: Int = 4096, hashBlockSize: Int = 4096, dataBlockCount: UInt64,
    salt: [UInt8] = []
  ) throws(VerityError) {
    guard Self.algorithms.contains(algorithm) else {
      throw .parameter(FieldFault("hash algorithm", found: algorithm.rawValue, allowed: "sha256 or sha512"))
    }
    dataBlock = try Self.blockSize(dataBlockSize, of: "data block size")
    hashBlock = try Self.blockSize(hashBlockSize, of: "hash block size")
    guard salt.count <= Self.maximumSaltSize else {
      throw .parameter(FieldFault("salt size", found: "\(salt.count)", allowed: "at most 256 bytes"))
    }
    guard dataBlockCount > 0, dataBlockCount <= Self.maximumByteCount / UInt64(dataBlockSize) else {
      throw .parameter(
        FieldFault("data blocks", found: "\(dataBlockCount)", allowed: "at least 1, and less than 2^63 bytes in all"))
    }
    self.algorithm = algorithm
    self.dataBlockCount = dataBlockCount
    self.salt = salt
  }

  private static func blockSize(_ size: Int, of name: String) throws(VerityError) -> BlockSize {
    guard let found = BlockSize(size, in: blockSizes) else {
      let allowed = "a power of two from \(blockSizes.lowerBound) to \(blockSizes.upperBound)"
      throw .parameter(FieldFault(name, found: "\(size)", allowed: allowed))
    }
    return found
  }

  /// Bytes a data block has: a power of two from 512 to 65536.
  public var dataBlockSize: Int { dataBlock.byteCount }
  /// Bytes a hash block has: a power of two from 512 to 65536.
  public var hashBlockSize: Int { hashBlock.byteCount }

  /// How blocks are hashed: hash type 1, the salt as it is and then the block.
  var rule: DigestRule { DigestRule(algorithm, salt: salt, .plain) }

  /// Bytes of data in all.
  public var dataByteCount: UInt64 { dataBlockCount &* UInt64(dataBlockSize) }  // bounded in `init`

  /// The salt as tables and tools write it: hexadecimal digits, or `-` for none.
  public var saltText: String { salt.isEmpty ? "-" : Hex.encode(salt) }
}
