internal import Base

/// Where each level of a hash tree lies.
///
/// The arithmetic is the kernel's (`drivers/md/dm-verity-target.c`, `verity_ctr` and `verity_position_at_level`):
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
  let hashBlockSize: Int
  let digestSize: Int
  let dataBlockCount: UInt64

  /// - Throws: ``VerityError/parameter(_:)`` when the tree would be larger than a device can be.
  public init(_ parameters: VerityParameters) throws(VerityError) {
    hashBlockSize = parameters.hashBlockSize
    digestSize = parameters.algorithm.digestSize
    dataBlockCount = parameters.dataBlockCount
    // Both are powers of two, at least 512 / 64, so there are 8 to 2048 digests in a block.
    fanoutBits = hashBlockSize.trailingZeroBitCount - digestSize.trailingZeroBitCount
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
    let (bytes, overflow) = total.multipliedReportingOverflow(by: UInt64(hashBlockSize))
    guard !overflow, bytes <= VerityParameters.maximumByteCount else {
      throw .parameter(
        FieldFault(
          "data blocks", found: "\(dataBlockCount)", allowed: "few enough that the tree stays below 2^63 bytes"))
    }
    byteCount = bytes
  }

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
