public import Base

/// `struct fsverity_descriptor`: how a file's tree was made, and the hash at its top. Its own hash is the file's digest
/// (Documentation/filesystems/fsverity.rst, "fs-verity descriptor"; include/uapi/linux/fsverity.h).
public struct VerityDescriptor: Equatable, Sendable {
  /// Bytes of the structure, without the signature that can follow it.
  public static let byteCount = 256

  public let algorithm: HashAlgorithm
  /// That of the data, and of the tree.
  let block: BlockSize
  /// Bytes of a block of data, and of the tree: a power of two from 1024 to 65536.
  public var blockSize: Int { block.byteCount }
  /// At most 32 bytes.
  public let salt: [UInt8]
  /// Bytes of the file.
  public let dataSize: UInt64
  /// The hash at the top of the tree; zeros for an empty file.
  public let rootHash: [UInt8]

  /// FS_VERITY_HASH_ALG_* by number.
  static let algorithms: [UInt16: HashAlgorithm] = [1: .sha256, 2: .sha512]

  /// The algorithm behind a number of the kernel's.
  public static func algorithm(number: UInt16) -> HashAlgorithm? { algorithms[number] }

  /// Describes the tree of a file.
  ///
  /// - Throws: ``FSVerityError/parameter(_:)`` for a salt or block size that the kernel does not know either.
  public init(
    algorithm: HashAlgorithm = .sha256, blockSize: Int = 4096, salt: [UInt8] = [], dataSize: UInt64, rootHash: [UInt8]
  ) throws(FSVerityError) {
    guard let block = BlockSize(blockSize, in: BlockSize.fsVerity) else {
      throw .parameter("a block size of \(blockSize) bytes")
    }
    guard salt.count <= 32 else { throw .parameter("a salt of \(salt.count) bytes") }
    guard Self.algorithms.values.contains(algorithm), rootHash.count == algorithm.digestSize else {
      throw .parameter("the hash algorithm \(algorithm.rawValue)")
    }
    self.algorithm = algorithm
    self.block = block
    self.salt = salt
    self.dataSize = dataSize
    self.rootHash = rootHash
  }

  /// Reads what FS_IOC_READ_VERITY_METADATA gives for FS_VERITY_METADATA_TYPE_DESCRIPTOR.
  ///
  /// - Throws: ``FSVerityError/descriptor(_:)`` when it is anything but a descriptor of version 1 whose spare bytes are
  ///   zero.
  public init(parsing bytes: [UInt8]) throws(FSVerityError) {
    guard bytes.count == Self.byteCount else { throw .descriptor("\(bytes.count) bytes") }
    guard bytes[0] == 1 else { throw .descriptor("version \(bytes[0])") }
    guard let algorithm = Self.algorithms[UInt16(bytes[1])] else { throw .descriptor("hash algorithm \(bytes[1])") }
    guard let block = BlockSize(1 << Int(bytes[2]), in: BlockSize.fsVerity) else {
      throw .descriptor("blocks of 2^\(bytes[2]) bytes")
    }
    guard bytes[3] <= 32 else { throw .descriptor("a salt of \(bytes[3]) bytes") }
    let salt = Array(bytes[80..<80 + Int(bytes[3])])
    let size = algorithm.digestSize
    // What is behind the salt and the hash, and the reserved part. The signature's size at 4 is not part of the digest.
    let spare = bytes[16 + size..<80] + bytes[80 + salt.count..<112] + bytes[112..<256]
    guard spare.allSatisfy({ $0 == 0 }) else { throw .descriptor("spare bytes that are not zero") }
    self.algorithm = algorithm
    self.block = block
    self.salt = salt
    dataSize = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[8 + $1]) << UInt64($1 * 8) }
    rootHash = Array(bytes[16..<16 + size])
  }

  /// The structure as it is hashed: with the signature's size zero.
  public var bytes: [UInt8] {
    let number = Self.algorithms.first { $0.value == algorithm }?.key ?? 0
    var bytes: [UInt8] = [
      1, UInt8(truncatingIfNeeded: number), UInt8(blockSize.trailingZeroBitCount), UInt8(salt.count), 0, 0, 0, 0,
    ]
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: dataSize >> UInt64($0 * 8)) }
    bytes += rootHash + [UInt8](repeating: 0, count: 64 - rootHash.count)
    bytes += salt + [UInt8](repeating: 0, count: 32 - salt.count)
    return bytes + [UInt8](repeating: 0, count: 144)
  }
}
