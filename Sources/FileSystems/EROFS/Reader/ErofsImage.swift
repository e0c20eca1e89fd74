internal import Base
public import Verity

/// An uncompressed EROFS file system, read only through blocks that are proven up to a root hash.
///
/// The reader accepts less than the kernel: whatever the kernel would read in more than one way, or not look at, is
/// refused. It follows no symbolic links and calls itself nowhere, so an image cannot lead it astray or exhaust its stack.
public struct ErofsImage<Blocks: VerifiedBlocks & ~Copyable>: ~Copyable {
  /// The verified device below.
  public let blocks: Blocks
  public let superblock: ErofsSuperblock
  public let limits: ErofsLimits
  /// Bytes of the file system. The device may be larger, which nothing in here reads.
  let byteCount: UInt64

  /// Checks the boot area and the superblock.
  ///
  /// The file system must lie wholly in the verified device; the sizes of their blocks have nothing to do with each other.
  /// How many blocks the device has is not under the root hash. What keeps hash blocks from posing as data, and data as hash
  /// blocks, is the boot area: the first block of the data has zeros where a hash block has digests.
  public init(_ blocks: consuming Blocks, limits: ErofsLimits = ErofsLimits()) throws(ErofsError) {
    let blockSize = blocks.blockSize
    let (byteCount, overflow) = blocks.blockCount.multipliedReportingOverflow(by: UInt64(clamping: blockSize))
    guard blockSize > 0, !overflow, byteCount <= UInt64(Int.max) else {
      throw ErofsError(
        .deviceSize, expected: "a device of less than 2^63 bytes",
        found: "\(blocks.blockCount) blocks of \(blockSize) bytes")
    }
    let bootArea = try Self.bytes(of: blocks, byteCount: byteCount, at: 0, count: Int(ErofsSuperblock.offset))
    if let place = bootArea.rawSpan.firstNonzeroOffset {
      throw ErofsError(.bootArea, offset: UInt64(place), expected: "1024 zero bytes", found: "byte \(bootArea[place])")
    }
    let head = try Self.bytes(
      of: blocks, byteCount: byteCount, at: ErofsSuperblock.offset, count: ErofsSuperblock.size)
    let superblock = try ErofsSuperblock(head.rawSpan)
    // Both factors are bounded by the superblock's own checks: 2^32 blocks of 2^16 bytes.
    let size = UInt64(superblock.blockCount) * UInt64(superblock.blockSize)
    guard size <= byteCount else {
      throw ErofsSuperblock.error(
        .deviceSize, at: 36, expected: "at most the \(byteCount) bytes under the root hash",
        found: "\(superblock.blockCount) blocks of \(superblock.blockSize) bytes")
    }
    let summed = try Self.bytes(
      of: blocks, byteCount: byteCount, at: ErofsSuperblock.offset,
      count: ErofsSuperblock.checksummedCount(blockSize: superblock.blockSize))
    let checksum = ErofsSuperblock.checksum(of: summed)
    guard checksum == superblock.checksum else {
      throw ErofsSuperblock.error(
        .checksum, at: ErofsSuperblock.checksumOffset, expected: ErofsSuperblock.hexadecimal(checksum),
        found: ErofsSuperblock.hexadecimal(superblock.checksum))
    }
    self.blocks = blocks
    self.superblock = superblock
    self.limits = limits
    self.byteCount = size
  }

  /// What of the device lies behind the file system, in bytes; empty when it fills the device.
  public var padding: Range<UInt64> { byteCount..<blocks.blockCount * UInt64(blocks.blockSize) }

  /// A private copy of proven bytes.
  func bytes(at offset: UInt64, count: Int) throws(ErofsError) -> [UInt8] {
    try Self.bytes(of: blocks, byteCount: byteCount, at: offset, count: count)
  }

  private static func bytes(
    of blocks: borrowing Blocks, byteCount: UInt64, at offset: UInt64, count: Int
  ) throws(ErofsError) -> [UInt8] {
    var bytes: [UInt8] = []
    try append(to: &bytes, of: blocks, byteCount: byteCount, at: offset, count: count)
    return bytes
  }

  /// Appends a copy of the proven bytes that start at `offset`.
  func append(to bytes: inout [UInt8], at offset: UInt64, count: Int) throws(ErofsError) {
    try Self.append(to: &bytes, of: blocks, byteCount: byteCount, at: offset, count: count)
  }

  private static func append(
    to bytes: inout [UInt8], of blocks: borrowing Blocks, byteCount: UInt64, at offset: UInt64, count: Int
  ) throws(ErofsError) {
    guard count >= 0, offset <= byteCount, UInt64(count) <= byteCount - offset else {
      throw ErofsError(
        .range, offset: offset, expected: "\(count) bytes before the end of the image at \(byteCount)",
        found: "a place beyond it")
    }
    // Room asked for exactly is copied at the next piece: a file of many pieces would be copied once for each.
    if bytes.isEmpty { bytes.reserveCapacity(count) }
    let blockSize = UInt64(blocks.blockSize)
    var position = offset
    let end = offset + UInt64(count)
    // What does not prove is met again below, where it can be named.
    if UInt64(count) > blockSize { try? blocks.prove(offset / blockSize..<(end - 1) / blockSize + 1) }
    while position < end {
      let index = position / blockSize
      let start = position % blockSize
      let length = min(blockSize - start, end - position)
      do throws(VerityError) {
        let verified = try blocks.block(index)
        bytes.append(copying: verified.bytes.extracting(Int(start)..<Int(start + length)))
      } catch {
        throw ErofsError(
          .block, offset: index * blockSize, expected: "block \(index) as the root hash promises it", found: "\(error)",
          blockFailure: error)
      }
      position += length
    }
  }
}
