internal import Base

/// Proves single blocks from the root downwards and keeps what it has proven.
final class PathProver {
  let memory: ProvenMemory
  private let layout: VerityLayout
  private let rootHash: Digest
  private var hasher: BlockHasher
  /// The block under the root hash, when it has been read and hashed already.
  private let top: TopBlock?

  init(layout: VerityLayout, rootHash: Digest, top: TopBlock?, memoryLimit: Int) throws(VerityError) {
    try layout.requireAlgorithm(of: rootHash)
    self.top = top.flatMap { $0.begins(layout, rootHash) ? $0 : nil }
    hasher = try layout.tree.makeHasher()
    memory = ProvenMemory(limit: memoryLimit)
    self.layout = layout
    self.rootHash = rootHash
  }

  /// Proves one data block and puts it into ``memory``.
  func prove(
    _ index: UInt64, data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let expected = try expectedDigest(of: index, hashes: hashes)
    try memory.admit(.data(index), byteCount: layout.parameters.dataBlockSize) { (block) throws(VerityError) in
      if let top, layout.geometry.levels.isEmpty { return try ArraySource(top.bytes).fill(&block, at: 0) }
      try data.fill(&block, at: layout.dataOffset(index))
      let found = try hasher.digest(of: block.bytes)
      if found != expected { throw layout.dataFault(index, expected: expected, found: found) }
    }
  }

  /// Blocks that are read and hashed together, at most.
  private static let runCount: UInt64 = 64

  /// Proves data blocks and puts those into ``memory`` that are not there yet.
  func prove(
    _ blocks: Range<UInt64>, data: borrowing some ByteSource & ~Copyable,
    hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let count = layout.parameters.dataBlockCount
    guard blocks.upperBound <= count else { throw .blockOutOfRange(index: blocks.upperBound - 1, count: count) }
    // A single block has no leaf above it.
    guard !layout.geometry.levels.isEmpty else {
      if !blocks.isEmpty, !memory.contains(.data(0)) { try prove(0, data: data, hashes: hashes) }
      return
    }
    var start = blocks.lowerBound
    while start < blocks.upperBound {
      guard !memory.contains(.data(start)) else {
        start += 1
        continue
      }
      let leaf = layout.geometry.node(above: start, level: 0)
      var end = start + 1
      while end < blocks.upperBound, end - start < Self.runCount, !memory.contains(.data(end)),
        layout.geometry.node(above: end, level: 0) == leaf
      {
        end += 1
      }
      if end - start == 1 {
        try prove(start, data: data, hashes: hashes)
      } else {
        try prove(run: start..<end, under: leaf, data: data, hashes: hashes)
      }
      start = end
    }
  }

  /// Proves blocks in a row under one leaf of the tree.
  private func prove(
    run: Range<UInt64>, under leaf: UInt64, data: borrowing some ByteSource & ~Copyable,
    hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    // Admits the leaf, and with it what every block of the run must be.
    _ = try expectedDigest(of: run.lowerBound, hashes: hashes)
    let blockSize = layout.parameters.dataBlockSize
    let digestSize = layout.parameters.algorithm.digestSize
    try memory.admit(run, blockSize: blockSize) { (blocks) throws(VerityError) in
      try data.fill(&blocks, at: layout.dataOffset(run.lowerBound))
      let digests = try hasher.digests(of: blocks.bytes, blockSize: blockSize)
      for (position, index) in run.enumerated() {
        let expected = try childDigest(ofNode: leaf, level: 0, child: index)
        let found = Digest(
          layout.parameters.algorithm, bytes: Array(digests[position * digestSize..<(position + 1) * digestSize]))
        guard let found, found == expected else {
          throw layout.dataFault(index, expected: expected, found: found ?? expected)
        }
      }
    }
  }

  /// The digest that the tree has of a data block.
  private func expectedDigest(
    of index: UInt64, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> Digest {
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
    return expected
  }

  private func admitNode(
    level: Int, index: UInt64, expected: Digest, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let key = ProvenMemory.Key.node(layout.geometry.blockNumber(level: level, index: index))
    if memory.contains(key) { return }
    try memory.admit(key, byteCount: layout.parameters.hashBlockSize) { (block) throws(VerityError) in
      if let top, level == layout.geometry.levels.count - 1 {
        try ArraySource(top.bytes).fill(&block, at: 0)
        return try layout.requireZeroSpare(block.bytes, level: level, index: index)
      }
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
