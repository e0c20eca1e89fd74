public import Base
internal import Synchronization

extension VerityLayout {
  /// Hashes all the data and writes superblock and tree, in bounded memory.
  ///
  /// - Parameters:
  ///   - data: the source of the data blocks. It is read once and must not change meanwhile.
  ///   - sink: what holds the tree; for an appended tree, the file of the data.
  ///   - threads: what reads and hashes.
  ///   - progress: told the bytes of data done and in all; returns false to stop.
  /// - Returns: the root hash.
  /// - Throws: ``VerityError/source(_:)``, ``VerityError/sink(_:)``, ``VerityError/cancelled``,
  ///   ``VerityError/truncated(_:expected:actual:)`` when there is less data than blocks, or ``VerityError/hashing(_:)``.
  public func writeTree(
    of data: borrowing some ByteSource & Sendable & ~Copyable, to sink: inout some ByteSink & ~Copyable,
    threads: Threads,
    progress: (_ done: UInt64, _ total: UInt64) -> Bool = { _, _ in true }
  ) throws(VerityError) -> Digest {
    guard data.byteCount >= parameters.dataByteCount else {
      throw .truncated(.data, expected: parameters.dataByteCount, actual: data.byteCount)
    }
    try writeSuperblock(to: &sink)
    var builder = try TreeBuilder(tree, at: treeOffset)
    let pieces = Pieces(parameters)
    for round in pieces.rounds {
      let all = Mutex([UInt8]())
      let pool = WorkerPool<VerityError>(pieces.threads(of: threads))
      try pool.run(round.count, into: all) { () throws(VerityError) in
        try PieceHasher(self)
      } work: { (worker: inout PieceHasher, number) throws(VerityError) in
        let piece = round.lowerBound + UInt64(number)
        pieces.fetch(after: piece, of: data, blockSize: parameters.dataBlockSize)
        return try worker.digests(of: pieces.blocks(of: piece), in: data)
      } take: { all, digests in
        all += digests
      }
      let digests = all.withLock { $0 }
      try builder.append(digests: digests.rawSpan, to: &sink)
      let done = dataOffset(pieces.blocks(of: round).upperBound)
      guard progress(done, parameters.dataByteCount) else { throw .cancelled }
    }
    return try builder.finish(to: &sink)
  }

  /// Writes the superblock and the zeros up to the first hash block.
  public func writeSuperblock(to sink: inout some ByteSink & ~Copyable) throws(VerityError) {
    var bytes = superblock.serialized()
    bytes += repeatElement(0, count: Int(treeOffset - superblockOffset) - bytes.count)  // below one hash block
    try sink.put(bytes.rawSpan, at: superblockOffset)
  }
}

/// Hashes pieces of the data, on one thread.
private struct PieceHasher: ~Copyable {
  private let layout: VerityLayout
  private var hasher: BlockHasher
  private var buffer: [UInt8] = []

  init(_ layout: VerityLayout) throws(VerityError) {
    self.layout = layout
    hasher = try layout.tree.makeHasher()
  }

  mutating func digests(
    of blocks: Range<UInt64>, in data: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> [UInt8] {
    let blockSize = layout.parameters.dataBlockSize
    try data.fill(&buffer, count: blocks.count * blockSize, at: layout.dataOffset(blocks.lowerBound))
    let bytes = buffer
    return try hasher.digests(of: bytes.rawSpan, blockSize: blockSize)
  }
}
