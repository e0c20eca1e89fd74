internal import ByteKit
internal import Hashing

/// Proves blocks from the root downwards and keeps what it has proven.
final class PathProver {
  let memory: ProvenMemory
  private let layout: VerityLayout
  private let rootHash: Digest
  private var hasher: BlockHasher

  init(layout: VerityLayout, rootHash: Digest, memoryLimit: Int) throws(VerityError) {
    let parameters = layout.parameters
    guard rootHash.algorithm == parameters.algorithm else {
      throw .rootHashAlgorithm(expected: parameters.algorithm, found: rootHash.algorithm)
    }
    do throws(HashingError) {
      hasher = try BlockHasher(parameters.algorithm, salt: parameters.salt.rawSpan)
    } catch {
      throw .hashing(error)
    }
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
    let offset = index * UInt64(parameters.dataBlockSize)
    let isWhole = layout.geometry.levels.isEmpty
    try memory.admit(.data(index), byteCount: parameters.dataBlockSize) { (block) throws(VerityError) in
      try data.fill(&block, at: offset)
      let found = try digest(of: block.bytes)
      if found != expected {
        throw isWhole
          ? .rootMismatch(offset: offset, expected: expected, found: found)
          : .dataMismatch(index: index, offset: offset, expected: expected, found: found)
      }
    }
  }

  private func admitNode(
    level: Int, index: UInt64, expected: Digest, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let geometry = layout.geometry
    let key = ProvenMemory.Key.node(geometry.blockNumber(level: level, index: index))
    if memory.contains(key) { return }
    let offset = layout.treeOffset + geometry.byteOffset(level: level, index: index)
    let isTop = level == geometry.levels.count - 1
    try memory.admit(key, byteCount: layout.parameters.hashBlockSize) { (block) throws(VerityError) in
      try hashes.fill(&block, at: offset)
      let found = try digest(of: block.bytes)
      if found != expected {
        throw isTop
          ? .rootMismatch(offset: offset, expected: expected, found: found)
          : .treeMismatch(level: level, index: index, offset: offset, expected: expected, found: found)
      }
      let used = geometry.usedBytes(level: level, index: index)
      guard block.bytes.extracting(used..<block.byteCount).isAllZero else {
        throw .spareNotZero(level: level, index: index, offset: offset)
      }
    }
  }

  private func childDigest(ofNode index: UInt64, level: Int, child: UInt64) throws(VerityError) -> Digest {
    let geometry = layout.geometry
    let algorithm = layout.parameters.algorithm
    let start = geometry.slotOffset(of: child)
    let bytes = memory.copy(
      .node(geometry.blockNumber(level: level, index: index)), range: start..<start + algorithm.digestSize)
    guard let bytes, let digest = Digest(algorithm, bytes: bytes)
    else { throw .blockOutOfRange(index: child, count: layout.parameters.dataBlockCount) }
    return digest
  }

  private func digest(of block: borrowing RawSpan) throws(VerityError) -> Digest {
    do throws(HashingError) {
      return try hasher.hash(block)
    } catch {
      throw .hashing(error)
    }
  }
}

extension ByteSource where Self: ~Copyable {
  /// Reads, with the error as this room's.
  borrowing func fill(_ buffer: inout MutableRawSpan, at offset: UInt64) throws(VerityError) {
    do throws(ByteSourceError) {
      try read(at: offset, into: &buffer)
    } catch {
      throw .source(error)
    }
  }

  /// A private copy of some bytes; the caller has checked that `count` is small.
  borrowing func readBytes(at offset: UInt64, count: Int) throws(VerityError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    var view = unsafe span.mutableBytes
    try fill(&view, at: offset)
    return bytes
  }
}
