public import Base

/// Where the data, the superblock and the tree of one dm-verity device lie.
///
/// Of a file that holds all three, every byte is accounted for. Of sources of their own, which may be partitions and devices of
/// any size, data and tree are a window: exactly what dm-verity maps. What lies behind it is never read.
public struct VerityLayout: Hashable, Sendable {
  /// How the tree was made, as the superblock says.
  public let superblock: Superblock
  /// How its blocks are hashed, and where each of them lies within it.
  let tree: MerkleTree
  /// Whether data and tree are in one source, or in one each.
  public let placement: Placement
  /// Where the superblock begins, in bytes, in the source that holds the tree.
  public let superblockOffset: UInt64
  /// Where the tree begins, in bytes: the first hash block boundary after the superblock.
  public let treeOffset: UInt64

  /// How data and tree are spread over sources.
  public enum Placement: String, Hashable, Sendable {
    /// The tree follows the data in the same source.
    case appended
    /// The tree has a source of its own (`veritysetup`'s hash device).
    case separate
  }

  /// Algorithm, block sizes, number of data blocks and salt.
  public var parameters: VerityParameters { superblock.parameters }
  /// Where each level of the tree lies within it.
  public var geometry: TreeGeometry { tree.geometry }
  /// Where the tree ends, in bytes.
  public var treeEnd: UInt64 { treeOffset + geometry.byteCount }

  /// The layout a superblock at that offset stands for.
  ///
  /// - Throws: ``VerityError/parameter(_:)`` when the offset is no multiple of 512 or the tree would be too large;
  ///   ``VerityError/dataSize(blocks:expected:superblockOffset:)`` when an appended superblock does not follow the data.
  public init(superblock: Superblock, placement: Placement, superblockOffset: UInt64) throws(VerityError) {
    let parameters = superblock.parameters
    guard superblockOffset.isMultiple(of: UInt64(Superblock.byteCount)),
      superblockOffset <= VerityParameters.maximumByteCount / 2
    else {
      throw .parameter(
        FieldFault("hash offset", found: "\(superblockOffset)", allowed: "a multiple of 512 below 2^62"))
    }
    if placement == .appended, parameters.dataByteCount != superblockOffset {
      throw .dataSize(
        blocks: parameters.dataBlockCount, expected: parameters.dataByteCount, superblockOffset: superblockOffset)
    }
    tree = try MerkleTree(parameters)
    guard tree.geometry.byteCount <= VerityParameters.maximumByteCount / 4 else {
      throw .parameter(
        FieldFault("data blocks", found: "\(parameters.dataBlockCount)", allowed: "a tree of less than 2^61 bytes"))
    }
    let blockSize = UInt64(parameters.hashBlockSize)
    treeOffset = (superblockOffset + UInt64(Superblock.byteCount) + blockSize - 1) / blockSize * blockSize
    self.superblock = superblock
    self.placement = placement
    self.superblockOffset = superblockOffset
  }

  /// How the layout has to fill a source that holds data, superblock and tree one after the other.
  public enum Fit: Hashable, Sendable {
    /// To the last byte, with zeros between superblock and tree: a file.
    case exact
    /// It has to lie in it: a device, which may be larger.
    case window
  }

  /// Reads the layout of a source that holds data, superblock and tree one after the other.
  ///
  /// - Throws: ``VerityError`` when the superblock is not acceptable, or the source is not as long as it says.
  public static func read(
    appendedTo source: borrowing some ByteSource & ~Copyable, superblockOffset: UInt64, fit: Fit = .exact
  ) throws(VerityError) -> VerityLayout {
    let (superblock, rest) = try readSuperblock(from: source, at: superblockOffset)
    let layout = try VerityLayout(superblock: superblock, placement: .appended, superblockOffset: superblockOffset)
    try layout.requireReach(of: .image, to: layout.treeEnd, actual: source.byteCount)
    switch fit {
    case .exact:
      guard source.byteCount == layout.treeEnd else {
        if let parity = try ErrorCorrection.find(behind: layout, in: source) {
          throw .errorCorrection(offset: parity.offset, roots: parity.roots, treeEnd: layout.treeEnd)
        }
        throw .trailingBytes(.image, expected: layout.treeEnd, actual: source.byteCount)
      }
      try layout.requireZeroGap(rest, in: source)
    case .window: break
    }
    return layout
  }

  /// Reads the layout of a data source with a hash source of its own. Either may be longer than what it holds.
  ///
  /// - Throws: ``VerityError`` when the superblock is not acceptable, or a source ends before what it says.
  public static func read(
    data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable,
    superblockOffset: UInt64 = 0
  ) throws(VerityError) -> VerityLayout {
    let superblock = try readSuperblock(from: hashes, at: superblockOffset).superblock
    let layout = try VerityLayout(superblock: superblock, placement: .separate, superblockOffset: superblockOffset)
    try layout.requireReach(of: .data, to: layout.parameters.dataByteCount, actual: data.byteCount)
    try layout.requireReach(of: .tree, to: layout.treeEnd, actual: hashes.byteCount)
    return layout
  }

  /// Bytes that are read at once: a superblock, and the gap behind it in a tree with blocks of the usual size.
  private static let headCount: UInt64 = 4096

  /// - Returns: the superblock, and the bytes behind it that were read along.
  private static func readSuperblock(
    from source: borrowing some ByteSource & ~Copyable, at offset: UInt64
  ) throws(VerityError) -> (superblock: Superblock, rest: ArraySlice<UInt8>) {
    let size = UInt64(Superblock.byteCount)
    guard offset <= source.byteCount, source.byteCount - offset >= size else {
      throw .truncated(
        .superblock, expected: offset.addingReportingOverflow(size).partialValue, actual: source.byteCount)
    }
    let bytes = try source.readBytes(at: offset, count: Int(min(headCount, source.byteCount - offset)))
    let superblock = try Superblock(parsing: bytes.rawSpan.extracting(0..<Superblock.byteCount), offset: offset)
    return (superblock, bytes[Superblock.byteCount...])
  }

  private func requireReach(of region: VerityError.Region, to end: UInt64, actual: UInt64) throws(VerityError) {
    guard actual >= end else { throw .truncated(region, expected: end, actual: actual) }
  }

  /// - Parameter head: the beginning of the gap, and what follows it where the gap is short.
  private func requireZeroGap(
    _ head: ArraySlice<UInt8>, in source: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let start = superblockOffset + UInt64(Superblock.byteCount)
    // Less than one hash block, which is at most 65536 bytes.
    let count = Int(treeOffset - start)
    let gap = count <= head.count ? Array(head.prefix(count)) : try source.readBytes(at: start, count: count)
    if let index = gap.rawSpan.firstNonzeroOffset { throw .gapNotZero(offset: start + UInt64(index)) }
  }
}
