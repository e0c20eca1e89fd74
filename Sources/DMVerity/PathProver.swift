internal import ByteKit
internal import Hashing

/// Proves single blocks from the root downwards and keeps what it has proven.
final class PathProver {
  let memory: ProvenMemory
  private let layout: VerityLayout
  private let rootHash: Digest
  private var hasher: BlockHasher

  init(layout: VerityLayout, rootHash: Digest, memoryLimit: Int) throws(VerityError) {
    try layout.requireAlgorithm(of: rootHash)
    hasher = try layout.makeHasher()
    memory = ProvenMemory(limit: memoryLimit)
    self.layout = layout
    self.rootHash = rootHash
  }

  /// Proves one data block and puts it into ``memory``.
  func prove(
    _ index: UInt64, data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let parameters = layout.parameters
    guard index < parameters.dataBlockCount else {
      throw .blockOutOfRange(index: index, count: parameters.dataBlockCount)
    }
    // From the root to the leaf above the block: each step turns the digest expected of a node into that of its child.
    var expected = rootHash
    for level in layout.geometry.levels.indices.reversed() {
      let node = layout.geometry.node(above: index, level: level)
      try admitNode(level: level, index: node, expected: expected, hashes: hashes)
      let child = level == 0 ? index : layout.geometry.node(above: index, level: level - 1)
      expected = try childDigest(ofNode: node, level: level, child: child)
    }
    try memory.admit(.data(index), byteCount: parameters.dataBlockSize) { (block) throws(VerityError) in
      try data.fill(&block, at: layout.dataOffset(index))
      let found = try hasher.digest(of: block.bytes)
      if found != expected { throw layout.dataFault(index, expected: expected, found: found) }
    }
  }

  private func admitNode(
    level: Int, index: UInt64, expected: Digest, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let key = ProvenMemory.Key.node(layout.geometry.blockNumber(level: level, index: index))
    if memory.contains(key) { return }
    try memory.admit(key, byteCount: layout.parameters.hashBlockSize) { (block) throws(VerityError) in
      try hashes.fill(&block, at: layout.nodeOffset(level: level, index: index))
      try layout.requireNode(block.bytes, level: level, index: index, expected: expected, hasher: &hasher)
    }
  }

  private func childDigest(ofNode index: UInt64, level: Int, child: UInt64) throws(VerityError) -> Digest {
    let geometry = layout.geometry
    let algorithm = layout.parameters.algorithm
    let start = geometry.slotOffset(of: child)
    let bytes = memory.copy(
      .node(geometry.blockNumber(level: level, index: index)), range: start..<start + algorithm.digestSize)
    guard let bytes, let digest = Digest(algorithm, bytes: bytes) else {
      throw .blockOutOfRange(index: child, count: layout.parameters.dataBlockCount)
    }
    return digest
  }
}
