public import Base

/// Bytes whose path up to the root hash has been checked.
///
/// Only this file can make one, and it cannot outlive the memory that was checked: the holder of a
/// `VerifiedBytes` holds a proof.
public struct VerifiedBytes: ~Escapable {
  /// The bytes.
  public let bytes: RawSpan

  @_lifetime(copy bytes)
  fileprivate init(proven bytes: RawSpan) { self.bytes = bytes }
}

/// A device whose data blocks are proven one by one, on demand, against a root hash.
///
/// Asking for a block reads that block and the hash blocks between it and the root, nothing else. Each block is read
/// once into private memory and checked there from the root downwards; afterwards a change of the source goes
/// unnoticed because it has no effect. What ``block(_:)`` returns is stable for the life of the device.
///
/// For one thread at a time.
public struct VerifiedDevice<Source: ByteSource & ~Copyable>: ~Copyable, VerifiedBlocks {
  /// Where data and tree lie in the sources.
  public let layout: VerityLayout
  /// What every block is proven against.
  public let rootHash: Digest
  private let data: Source
  // Nil when the tree lies in `data`.
  private let hashes: Source?
  private let prover: PathProver
  // The prover's; held here too, so that what it holds visibly lives as long as the device.
  private let memory: ProvenMemory

  /// The memory that verified blocks may take up by default, in bytes.
  public static var defaultMemoryLimit: Int { 256 << 20 }

  /// A device whose tree follows the data in one source.
  ///
  /// - Parameters:
  ///   - layout: as ``VerityLayout/read(appendedTo:superblockOffset:)`` returned it for this source.
  ///   - rootHash: what the caller trusts. Nothing is read before the first block is asked for.
  ///   - top: the block under the root hash, from these sources, when it was read already. Another image's has another
  ///     digest, and is not used.
  ///   - memoryLimit: bytes that verified data and hash blocks may take up together.
  /// - Throws: ``VerityError/rootHashAlgorithm(expected:found:)``, or ``VerityError/truncated(_:expected:actual:)``
  ///   when the source is too short for the layout.
  public init(
    _ source: consuming Source, layout: VerityLayout, rootHash: Digest, top: TopBlock? = nil,
    memoryLimit: Int = VerifiedDevice.defaultMemoryLimit
  ) throws(VerityError) {
    guard source.byteCount >= layout.treeEnd else {
      throw .truncated(.image, expected: layout.treeEnd, actual: source.byteCount)
    }
    prover = try PathProver(layout: layout, rootHash: rootHash, top: top, memoryLimit: memoryLimit)
    memory = prover.memory
    self.layout = layout
    self.rootHash = rootHash
    data = source
    hashes = nil
  }

  /// A device whose tree has a source of its own.
  ///
  /// - Parameter layout: as ``VerityLayout/read(data:hashes:superblockOffset:)`` returned it for these sources.
  /// - Throws: as ``init(_:layout:rootHash:memoryLimit:)``.
  public init(
    data: consuming Source, hashes: consuming Source, layout: VerityLayout, rootHash: Digest, top: TopBlock? = nil,
    memoryLimit: Int = VerifiedDevice.defaultMemoryLimit
  ) throws(VerityError) {
    guard data.byteCount >= layout.parameters.dataByteCount else {
      throw .truncated(.data, expected: layout.parameters.dataByteCount, actual: data.byteCount)
    }
    guard hashes.byteCount >= layout.treeEnd else {
      throw .truncated(.tree, expected: layout.treeEnd, actual: hashes.byteCount)
    }
    prover = try PathProver(layout: layout, rootHash: rootHash, top: top, memoryLimit: memoryLimit)
    memory = prover.memory
    self.layout = layout
    self.rootHash = rootHash
    self.data = data
    self.hashes = consume hashes
  }

  /// Bytes a data block has.
  public var blockSize: Int { layout.parameters.dataBlockSize }
  /// Number of data blocks.
  public var blockCount: UInt64 { layout.parameters.dataBlockCount }

  public mutating func forget() { memory.forget() }

  /// Bytes of memory that the blocks proven so far take up.
  public var provenByteCount: Int { memory.used }

  /// The data block of that index, proven now or before.
  ///
  /// - Throws: ``VerityError/dataMismatch(index:offset:expected:found:)``, ``VerityError/treeMismatch(level:index:offset:expected:found:)``,
  ///   ``VerityError/rootMismatch(offset:expected:found:)`` or ``VerityError/spareNotZero(level:index:offset:)`` naming the
  ///   first block on the path from the root that is not as it should be; ``VerityError/source(_:)`` when it cannot be read;
  ///   ``VerityError/memoryLimit(_:)``; ``VerityError/blockOutOfRange(index:count:)``.
  @_lifetime(borrow self)
  public func block(_ index: UInt64) throws(VerityError) -> VerifiedBytes {
    if let bytes = memory.view(.data(index)) { return VerifiedBytes(proven: bytes) }
    switch hashes {
    case .some(let hashes): try prover.prove(index, data: data, hashes: hashes)
    case .none: try prover.prove(index, data: data, hashes: data)
    }
    guard let bytes = memory.view(.data(index)) else { throw .blockOutOfRange(index: index, count: blockCount) }
    return VerifiedBytes(proven: bytes)
  }

  /// Proves several data blocks, with one read for those in a row.
  ///
  /// - Throws: as ``block(_:)``, for the first that is not as it should be; those before it may be proven then.
  public func prove(_ blocks: Range<UInt64>) throws(VerityError) {
    switch hashes {
    case .some(let hashes): try prover.prove(blocks, data: data, hashes: hashes)
    case .none: try prover.prove(blocks, data: data, hashes: data)
    }
  }
}
