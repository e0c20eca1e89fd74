internal import Base

/// Where each level of a hash tree lies.
///
/// The arithmetic is the kernel's (`verity_ctr` and `verity_position_at_level` in drivers/md/dm-verity-target.c,
/// `fsverity_init_merkle_tree_params` in fs/verity/open.c):
/// level 0 holds the digests of the data blocks, the last level is one block, and on disk the last level comes first.
public struct TreeGeometry: Hashable, Sendable {
  /// One level of the tree.
  public struct Level: Hashable, Sendable {
    /// Hash blocks in this level.
    public let blockCount: UInt64
    /// The level's first block, counted in hash blocks from the beginning of the tree.
    public let firstBlock: UInt64
  }

  /// The levels, leaves first. Empty when there is one data block: then the root hash is that block's digest.
  public let levels: [Level]
  /// Binary logarithm of the number of digests in a hash block.
  public let fanoutBits: Int
  /// Hash blocks in all.
  public let blockCount: UInt64
  /// Bytes of the tree in all.
  public let byteCount: UInt64
  let blockSize: BlockSize
  let digestSize: Int
  let dataBlockCount: UInt64

  /// - Parameters:
  ///   - dataBlockCount: how many blocks the tree is over, at least one.
  ///   - blockSize: of a block of the tree.
  ///   - digestSize: bytes of a digest, a power of two below the block's.
  /// - Throws: ``VerityError/parameter(_:)`` when there is no block, or the tree would be larger than a device can be.
  init(dataBlockCount: UInt64, blockSize: BlockSize, digestSize: Int) throws(VerityError) {
    guard dataBlockCount > 0 else {
      throw .parameter(FieldFault("data blocks", found: "0", allowed: "at least 1"))
    }
    self.dataBlockCount = dataBlockCount
    self.digestSize = digestSize
    self.blockSize = blockSize
    // Both are powers of two, at least 512 / 64, so there are 8 to 2048 digests in a block.
    fanoutBits = blockSize.byteCount.trailingZeroBitCount - digestSize.trailingZeroBitCount
    let lastData = dataBlockCount - 1
    var counts: [UInt64] = []
    while lastData >> UInt64(counts.count * fanoutBits) > 0 {
      counts.append((lastData >> UInt64((counts.count + 1) * fanoutBits)) + 1)
    }
    var total: UInt64 = 0
    var levels: [Level] = []
    for count in counts.reversed() {
      levels.append(Level(blockCount: count, firstBlock: total))
      total += count  // less than the number of data blocks, which is below 2^54
    }
    self.levels = levels.reversed()
    blockCount = total
    let (bytes, overflow) = total.multipliedReportingOverflow(by: UInt64(blockSize.byteCount))
    guard !overflow, bytes <= VerityParameters.maximumByteCount else {
      throw .parameter(
        FieldFault(
          "data blocks", found: "\(dataBlockCount)", allowed: "few enough that the tree stays below 2^63 bytes"))
    }
    byteCount = bytes
  }

  /// Where the levels of a dm-verity tree lie.
  ///
  /// - Throws: ``VerityError/parameter(_:)`` when the tree would be larger than a device can be.
  public init(_ parameters: VerityParameters) throws(VerityError) { self = try MerkleTree(parameters).geometry }

  /// Bytes of a block of the tree.
  var hashBlockSize: Int { blockSize.byteCount }

  /// Digests a hash block has room for.
  public var fanout: Int { 1 << fanoutBits }

  /// The block of `level` on the path from a data block to the root.
  func node(above dataBlock: UInt64, level: Int) -> UInt64 { dataBlock >> UInt64((level + 1) * fanoutBits) }

  /// Where in the parent's block the digest of block `index` of a level (or of the data) lies, in bytes.
  func slotOffset(of index: UInt64) -> Int { Int(index & UInt64(fanout - 1)) * digestSize }

  /// Bytes of digests in a block of `level`; what follows them must be zero.
  func usedBytes(level: Int, index: UInt64) -> Int {
    let children = level == 0 ? dataBlockCount : levels[level - 1].blockCount
    let before = index << UInt64(fanoutBits)
    guard before < children else { return 0 }
    return Int(min(UInt64(fanout), children - before)) * digestSize
  }

  /// The number of data blocks below block `index` of `level`, and the first of them.
  func dataBlocks(below index: UInt64, level: Int) -> Range<UInt64> {
    let shift = UInt64((level + 1) * fanoutBits)
    let first = index << shift
    // The shifts stay below 64 for every block that exists: the last block's path is what the levels were counted by.
    let end = shift < 63 ? (index + 1) << shift : dataBlockCount
    return first..<max(first, min(end, dataBlockCount))
  }

  /// A block's number from the beginning of the tree.
  func blockNumber(level: Int, index: UInt64) -> UInt64 { levels[level].firstBlock + index }

  /// Byte offset of a block from the beginning of the tree.
  func byteOffset(level: Int, index: UInt64) -> UInt64 {
    blockNumber(level: level, index: index) * UInt64(hashBlockSize)  // below `byteCount`
  }
}
