public import Base

/// A dm-verity image built in memory: data, superblock and tree one after the other.
///
/// For small images, and for the tests of readers of a ``VerifiedDevice``.
public struct MemoryImage: Sendable {
  /// The image's bytes.
  public let bytes: [UInt8]
  /// Where its parts lie.
  public let layout: VerityLayout
  /// What proves it.
  public let rootHash: Digest

  /// Builds the image for some data, which is filled up with zeros to a whole number of blocks.
  ///
  /// - Throws: ``VerityError/parameter(_:)`` when a parameter is not acceptable, or there is no data.
  public static func build(
    data: [UInt8], algorithm: HashAlgorithm = .sha256, dataBlockSize: Int = 4096, hashBlockSize: Int = 4096,
    salt: [UInt8] = []
  ) throws(VerityError) -> MemoryImage {
    // One that is not acceptable is refused by the parameters.
    let blockSize = BlockSize(dataBlockSize, in: VerityParameters.blockSizes)
    let parameters = try VerityParameters(
      algorithm: algorithm, dataBlockSize: dataBlockSize, hashBlockSize: hashBlockSize,
      dataBlockCount: blockSize?.blockCount(of: UInt64(data.count)) ?? 1, salt: salt)
    let superblock = Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt))
    let layout = try VerityLayout(
      superblock: superblock, placement: .appended, superblockOffset: parameters.dataByteCount)
    let padded = parameters.dataBlock.filled(data)
    var sink = ArraySink(padded)
    let rootHash = try layout.writeTree(of: ArraySource(padded), to: &sink, threads: .one)
    return MemoryImage(bytes: sink.bytes, layout: layout, rootHash: rootHash)
  }

  /// A device over the image's bytes.
  public func device() throws(VerityError) -> VerifiedDevice<ArraySource> {
    try VerifiedDevice(ArraySource(bytes), layout: layout, rootHash: rootHash)
  }
}
