internal import Base

/// Builds a hash tree from the digests of the data blocks, in order. Of each level it keeps what fills no block yet.
struct TreeBuilder: ~Copyable {
  private let tree: MerkleTree
  /// Where the tree begins in its sink, in bytes.
  private let offset: UInt64
  /// Leaves first.
  private var levels: [Level]
  private var hasher: BlockHasher
  private var root: Digest?
  private var count: UInt64 = 0

  private struct Level {
    /// Digests that fill no hash block yet.
    var pending: [UInt8] = []
    /// Hash blocks that were written.
    var blockCount: UInt64 = 0
  }

  /// - Parameter offset: where the tree begins in its sink, in bytes.
  /// - Throws: ``VerityError/hashing(_:)``.
  init(_ tree: MerkleTree, at offset: UInt64 = 0) throws(VerityError) {
    self.tree = tree
    self.offset = offset
    levels = [Level](repeating: Level(), count: tree.geometry.levels.count)
    hasher = try tree.makeHasher()
  }

  /// Takes the digests of the next data blocks, one after the other. The more come at once, the more blocks of the
  /// tree are hashed and written together.
  mutating func append(
    digests: borrowing RawSpan, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    // Both are below 2^54: the one is memory, the other was checked here.
    count += UInt64(digests.byteCount / tree.geometry.digestSize)
    guard count <= tree.geometry.dataBlockCount else {
      throw .blockCount(expected: tree.geometry.dataBlockCount, found: count)
    }
    try append(digests, level: 0, to: &sink)
  }

  /// Writes the blocks that are not full yet, and with them the root level.
  ///
  /// - Returns: the root hash.
  /// - Throws: ``VerityError/blockCount(expected:found:)`` when data blocks are missing.
  consuming func finish(to sink: inout some ByteSink & ~Copyable) throws(VerityError) -> Digest {
    for level in levels.indices where !levels[level].pending.isEmpty {
      let last = tree.geometry.blockSize.filled(levels[level].pending)
      try flush(last.rawSpan, level: level, to: &sink)
    }
    guard count == tree.geometry.dataBlockCount, let root else {
      throw .blockCount(expected: tree.geometry.dataBlockCount, found: count)
    }
    return root
  }

  /// Puts digests behind those of `level`, or takes the only one for the root hash when there is no such level.
  private mutating func append(
    _ digests: borrowing RawSpan, level: Int, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    guard level < levels.count else {
      root = Digest(tree.rule.algorithm, bytes: digests.copyBytes())
      return
    }
    guard levels[level].pending.isEmpty else {
      levels[level].pending.append(copying: digests)
      let pending = levels[level].pending
      levels[level].pending = []
      try take(pending.rawSpan, level: level, to: &sink)
      return
    }
    try take(digests, level: level, to: &sink)
  }

  /// Makes hash blocks of all the digests that are there for a level, and keeps what fills none.
  private mutating func take(
    _ digests: borrowing RawSpan, level: Int, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    let full = digests.byteCount - digests.byteCount % tree.geometry.hashBlockSize
    levels[level].pending.append(copying: digests.extracting(full..<digests.byteCount))
    guard full > 0 else { return }
    try flush(digests.extracting(0..<full), level: level, to: &sink)
  }

  /// Writes the next hash blocks of a level, which lie one after the other, and hands their digests to the level above.
  private mutating func flush(
    _ blocks: borrowing RawSpan, level: Int, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    let size = tree.geometry.hashBlockSize
    try sink.put(blocks, at: offset + tree.geometry.byteOffset(level: level, index: levels[level].blockCount))
    levels[level].blockCount += UInt64(blocks.byteCount / size)
    let digests = try hasher.digests(of: blocks, blockSize: size)
    try append(digests.rawSpan, level: level + 1, to: &sink)
  }
}
