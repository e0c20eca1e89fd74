internal import Base

/// The proven path from the root to one leaf, for a reader that goes through the data from one end to the other.
///
/// One block a level is kept, in private memory, checked against the one above it before it is used.
struct PathCursor: ~Copyable {
  private let layout: VerityLayout
  private let rootHash: Digest
  private var nodes: [Node]
  /// Has absorbed the tree's salt.
  var hasher: BlockHasher

  private struct Node {
    var bytes: [UInt8]
    /// Which block of its level is held; nil when none is, or the last one read was refused.
    var index: UInt64?
  }

  init(layout: VerityLayout, rootHash: Digest) throws(VerityError) {
    let empty = Node(bytes: [UInt8](repeating: 0, count: layout.parameters.hashBlockSize), index: nil)
    hasher = try layout.tree.makeHasher()
    nodes = layout.geometry.levels.map { _ in empty }
    self.layout = layout
    self.rootHash = rootHash
  }

  /// The digests, one after the other, that consecutive data blocks under one leaf must have.
  ///
  /// - Throws: the mismatch of the first block on the path, from the root, that is not as it should be.
  mutating func expectedDigests(
    of blocks: Range<UInt64>, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> ArraySlice<UInt8> {
    for level in nodes.indices.reversed() {
      let index = layout.geometry.node(above: blocks.lowerBound, level: level)
      if nodes[level].index != index { try load(level, index: index, hashes: hashes) }
    }
    guard let leaf = nodes.first else { return rootHash.bytes[...] }
    let start = layout.geometry.slotOffset(of: blocks.lowerBound)
    return leaf.bytes[start..<start + blocks.count * rootHash.bytes.count]
  }

  private mutating func load(
    _ level: Int, index: UInt64, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    nodes[level].index = nil
    try hashes.fill(
      &nodes[level].bytes, count: layout.parameters.hashBlockSize, at: layout.nodeOffset(level: level, index: index))
    let bytes = nodes[level].bytes
    let expected = expectedDigest(level: level, index: index)
    try layout.requireNode(bytes.rawSpan, level: level, index: index, expected: expected, hasher: &hasher)
    nodes[level].index = index
  }

  private func expectedDigest(level: Int, index: UInt64) -> Digest {
    guard level + 1 < nodes.count else { return rootHash }
    let start = layout.geometry.slotOffset(of: index)
    let bytes = Array(nodes[level + 1].bytes[start..<start + rootHash.bytes.count])
    return Digest(rootHash.algorithm, bytes: bytes) ?? rootHash  // the count is the algorithm's
  }
}
