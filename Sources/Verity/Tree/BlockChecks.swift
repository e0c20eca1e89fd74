internal import Base

/// The two checks everything rests on, said once: a hash block against its parent, and a data block against its leaf.
extension VerityLayout {
  /// Requires a hash block to have the digest that its parent (or the trusted root hash) names, and zeros after its
  /// own digests.
  ///
  /// The kernel does not look at what follows the digests, libcryptsetup does. Digests hidden there could vouch for
  /// blocks of another, larger image with the same root hash.
  func requireNode(
    _ bytes: borrowing RawSpan, level: Int, index: UInt64, expected: Digest, hasher: inout BlockHasher
  ) throws(VerityError) {
    let offset = nodeOffset(level: level, index: index)
    let found = try hasher.digest(of: bytes)
    guard found == expected else {
      throw level == geometry.levels.count - 1
        ? .rootMismatch(offset: offset, expected: expected, found: found)
        : .treeMismatch(level: level, index: index, offset: offset, expected: expected, found: found)
    }
    try requireZeroSpare(bytes, level: level, index: index)
  }

  /// The second half of ``requireNode(_:level:index:expected:hasher:)``, for a node whose digest is known.
  func requireZeroSpare(_ bytes: borrowing RawSpan, level: Int, index: UInt64) throws(VerityError) {
    let used = geometry.usedBytes(level: level, index: index)
    guard used > 0, used <= bytes.byteCount, bytes.extracting(used..<bytes.byteCount).isAllZero else {
      throw .spareNotZero(level: level, index: index, offset: nodeOffset(level: level, index: index))
    }
  }

  /// Where a hash block lies in its source, in bytes.
  func nodeOffset(level: Int, index: UInt64) -> UInt64 {
    treeOffset + geometry.byteOffset(level: level, index: index)
  }

  /// Where the digest of a data block lies in the source of the tree, in bytes; nil when there is one data block and no
  /// tree.
  public func digestOffset(ofDataBlock index: UInt64) -> UInt64? {
    guard !geometry.levels.isEmpty else { return nil }
    return nodeOffset(level: 0, index: geometry.node(above: index, level: 0)) + UInt64(geometry.slotOffset(of: index))
  }

  /// Where a data block lies in its source, in bytes.
  func dataOffset(_ index: UInt64) -> UInt64 { index * UInt64(parameters.dataBlockSize) }

  /// What is wrong when a data block has another digest than its leaf (or, for a single block, the root hash) names.
  func dataFault(_ index: UInt64, expected: Digest, found: Digest) -> VerityError {
    geometry.levels.isEmpty
      ? .rootMismatch(offset: dataOffset(index), expected: expected, found: found)
      : .dataMismatch(index: index, offset: dataOffset(index), expected: expected, found: found)
  }

  /// Requires the trusted root hash to be of the tree's algorithm.
  func requireAlgorithm(of rootHash: Digest) throws(VerityError) {
    guard rootHash.algorithm == parameters.algorithm else {
      throw .rootHashAlgorithm(expected: parameters.algorithm, found: rootHash.algorithm)
    }
  }
}

/// The same calls with the error as this module's.
extension BlockHasher {
  mutating func digest(of block: borrowing RawSpan) throws(VerityError) -> Digest {
    do throws(HashingError) {
      return try hash(block)
    } catch {
      throw .hashing(error)
    }
  }

  /// The digests of consecutive blocks, one after the other.
  mutating func digests(of blocks: borrowing RawSpan, blockSize: Int) throws(VerityError) -> [UInt8] {
    var digests = [UInt8](repeating: 0, count: blocks.byteCount / blockSize * algorithm.digestSize)
    do throws(HashingError) {
      var span = digests.mutableSpan
      var view = unsafe span.mutableBytes
      try hashBlocks(blocks, blockSize: blockSize, into: &view)
    } catch {
      throw .hashing(error)
    }
    return digests
  }
}

extension ByteSource where Self: ~Copyable {
  /// Reads, with the error as this module's.
  borrowing func fill(_ buffer: inout MutableRawSpan, at offset: UInt64) throws(VerityError) {
    do throws(ByteSourceError) {
      try read(at: offset, into: &buffer)
    } catch {
      throw .source(error)
    }
  }

  /// Reads `count` bytes into an array, which is kept when it has that size already.
  borrowing func fill(_ bytes: inout [UInt8], count: Int, at offset: UInt64) throws(VerityError) {
    if bytes.count != count { bytes = [UInt8](repeating: 0, count: count) }
    var span = bytes.mutableSpan
    var view = unsafe span.mutableBytes
    try fill(&view, at: offset)
  }

  /// A private copy of some bytes; the caller has checked that `count` is small.
  borrowing func readBytes(at offset: UInt64, count: Int) throws(VerityError) -> [UInt8] {
    var bytes: [UInt8] = []
    try fill(&bytes, count: count, at: offset)
    return bytes
  }
}

extension ByteSink where Self: ~Copyable {
  /// Writes, with the error as this module's.
  mutating func put(_ bytes: borrowing RawSpan, at offset: UInt64) throws(VerityError) {
    do throws(ByteSinkError) {
      try write(bytes, at: offset)
    } catch {
      throw .sink(error)
    }
  }
}
