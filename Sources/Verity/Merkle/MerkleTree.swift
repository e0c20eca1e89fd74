internal import Base

/// A Merkle tree over blocks of data, as dm-verity and fs-verity have it: how blocks are hashed, and where each block of
/// the tree lies.
///
/// The two trees are one (Documentation/admin-guide/device-mapper/verity.rst and Documentation/filesystems/fsverity.rst).
/// They differ in how the salt goes into the hash (``DigestRule``), and in what describes the tree: a superblock or table
/// of the device, or the descriptor of the file.
public struct MerkleTree: Hashable, Sendable {
  let rule: DigestRule
  let geometry: TreeGeometry

  /// - Parameters:
  ///   - dataBlockCount: how many blocks the tree is over, at least one.
  ///   - blockSize: of a block of the tree.
  /// - Throws: ``VerityError/parameter(_:)`` when the tree would be larger than a device can be.
  init(_ rule: DigestRule, dataBlockCount: UInt64, blockSize: BlockSize) throws(VerityError) {
    self.rule = rule
    geometry = try TreeGeometry(
      dataBlockCount: dataBlockCount, blockSize: blockSize, digestSize: rule.algorithm.digestSize)
  }

  /// The tree of a dm-verity device.
  init(_ parameters: VerityParameters) throws(VerityError) {
    try self.init(parameters.rule, dataBlockCount: parameters.dataBlockCount, blockSize: parameters.hashBlock)
  }

  /// A hasher for its blocks, and for those of the data.
  func makeHasher() throws(VerityError) -> BlockHasher {
    do throws(HashingError) { return try rule.makeHasher() } catch { throw .hashing(error) }
  }

  /// The root hash of some bytes, whose last block is filled up with zeros. The tree is not kept.
  ///
  /// - Parameters:
  ///   - content: at least one byte.
  ///   - blockSize: of the data and of the tree.
  /// - Throws: ``VerityError/hashing(_:)``, or ``VerityError/parameter(_:)`` when there is no content.
  static func rootHash(
    of content: borrowing RawSpan, _ rule: DigestRule, blockSize: BlockSize
  ) throws(VerityError) -> Digest {
    let tree = try MerkleTree(
      rule, dataBlockCount: blockSize.blockCount(of: UInt64(content.byteCount)), blockSize: blockSize)
    var hasher = try tree.makeHasher()
    var builder = try TreeBuilder(tree)
    var sink = NoSink()
    let size = blockSize.byteCount
    let full = content.byteCount / size * size
    let digests = try hasher.digests(of: content.extracting(0..<full), blockSize: size)
    try builder.append(digests: digests.rawSpan, to: &sink)
    if full < content.byteCount {
      let last = blockSize.filled(content.extracting(full..<content.byteCount).copyBytes())
      let digest = try hasher.digests(of: last.rawSpan, blockSize: size)
      try builder.append(digests: digest.rawSpan, to: &sink)
    }
    return try builder.finish(to: &sink)
  }
}

/// Where the blocks of a tree go of which only the root hash is wanted.
private struct NoSink: ByteSink {
  mutating func write(_ bytes: borrowing RawSpan, at offset: UInt64) throws(ByteSinkError) {}
}
