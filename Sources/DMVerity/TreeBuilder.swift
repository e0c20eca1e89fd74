internal import ByteKit
internal import Hashing

/// Builds a hash tree from the digests of the data blocks, in order, keeping one hash block a level in memory.
struct TreeBuilder: ~Copyable {
  private let layout: VerityLayout
  // The block being filled at each level, leaves first.
  private var blocks: [Pending]
  private var hasher: BlockHasher
  private var root: Digest?
  private var count: UInt64 = 0

  private struct Pending {
    var bytes: [UInt8]
    var filled = 0
    var index: UInt64 = 0
  }

  /// - Throws: ``VerityError/hashing(_:)``.
  init(_ layout: VerityLayout) throws(VerityError) {
    self.layout = layout
    let empty = Pending(bytes: [UInt8](repeating: 0, count: layout.parameters.hashBlockSize))
    blocks = layout.geometry.levels.map { _ in empty }
    hasher = try layout.makeHasher()
  }

  /// Takes the digests of the next data blocks, one after the other.
  mutating func append(
    digests: borrowing RawSpan, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    let size = layout.parameters.algorithm.digestSize
    for start in stride(from: 0, to: digests.byteCount - size + 1, by: size) {
      count += 1
      guard count <= layout.parameters.dataBlockCount else {
        throw .blockCount(expected: layout.parameters.dataBlockCount, found: count)
      }
      try append(digests.extracting(start..<start + size).copyBytes(), level: 0, to: &sink)
    }
  }

  /// Writes the blocks that are not full yet, and with them the root level.
  ///
  /// - Returns: the root hash.
  /// - Throws: ``VerityError/blockCount(expected:found:)`` when data blocks are missing.
  consuming func finish(to sink: inout some ByteSink & ~Copyable) throws(VerityError) -> Digest {
    for level in blocks.indices where blocks[level].filled > 0 { try flush(level, to: &sink) }
    guard count == layout.parameters.dataBlockCount, let root else {
      throw .blockCount(expected: layout.parameters.dataBlockCount, found: count)
    }
    return root
  }

  /// Puts a digest into the block of `level`, or takes it for the root hash when there is no such level.
  private mutating func append(
    _ digest: [UInt8], level: Int, to sink: inout some ByteSink & ~Copyable
  ) throws(VerityError) {
    guard level < blocks.count else {
      root = Digest(layout.parameters.algorithm, bytes: digest)
      return
    }
    let start = blocks[level].filled
    blocks[level].bytes.replaceSubrange(start..<start + digest.count, with: digest)
    blocks[level].filled = start + digest.count
    if blocks[level].filled == layout.parameters.hashBlockSize { try flush(level, to: &sink) }
  }

  private mutating func flush(_ level: Int, to sink: inout some ByteSink & ~Copyable) throws(VerityError) {
    let block = blocks[level]
    let digest = try hasher.digest(of: block.bytes.rawSpan)
    try sink.put(block.bytes.rawSpan, at: layout.nodeOffset(level: level, index: block.index))
    blocks[level] = Pending(
      bytes: [UInt8](repeating: 0, count: layout.parameters.hashBlockSize), index: block.index + 1)
    try append(digest.bytes, level: level + 1, to: &sink)
  }
}
