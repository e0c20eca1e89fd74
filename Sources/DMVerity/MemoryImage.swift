public import ByteKit

/// A dm-verity image built in memory: data, superblock and tree one after the other.
///
/// For small images, and for the tests of whoever reads through ``VerifiedDevice``.
public struct MemoryImage: Sendable {
  /// The image's bytes.
  public let bytes: [UInt8]
  public let layout: VerityLayout
  public let rootHash: Digest

  /// Builds the image for some data, which is filled up with zeros to a whole number of blocks.
  ///
  /// - Throws: ``VerityError/parameter(_:)`` when a parameter is not acceptable, or there is no data.
  public static func build(
    data: [UInt8], algorithm: HashAlgorithm = .sha256, dataBlockSize: Int = 4096, hashBlockSize: Int = 4096,
    salt: [UInt8] = []
  ) throws(VerityError) -> MemoryImage {
    // A block size of nothing is refused below, like any other that is not acceptable.
    let blocks = (data.count + dataBlockSize - 1) / max(dataBlockSize, 1)
    let parameters = try VerityParameters(
      algorithm: algorithm, dataBlockSize: dataBlockSize, hashBlockSize: hashBlockSize,
      dataBlockCount: UInt64(max(blocks, 0)), salt: salt)
    let superblock = Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt))
    let layout = try VerityLayout(
      superblock: superblock, placement: .appended, superblockOffset: parameters.dataByteCount)
    let padded = data + repeatElement(0, count: blocks * dataBlockSize - data.count)
    var sink = ArraySink(padded)
    let rootHash = try layout.writeTree(of: ArraySource(padded), to: &sink, threads: 1)
    return MemoryImage(bytes: sink.bytes, layout: layout, rootHash: rootHash)
  }

  /// A device over the image's bytes.
  public func device() throws(VerityError) -> VerifiedDevice<ArraySource> {
    try VerifiedDevice(ArraySource(bytes), layout: layout, rootHash: rootHash)
  }
}
