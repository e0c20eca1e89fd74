public import Base
public import Verity

/// An EROFS file system, read only through blocks that are proven up to a root hash.
///
/// The reader accepts less than the kernel: whatever the kernel would read in more than one way, or not look at, is
/// refused. It follows no symbolic links and calls itself nowhere, so an image cannot lead it astray or exhaust its stack.
public struct ErofsImage<Blocks: VerifiedBlocks & ~Copyable>: ~Copyable, VerifiedFileSystem {
  /// The verified device below.
  public private(set) var blocks: Blocks
  public let superblock: ErofsSuperblock
  public let limits: FileSystemLimits
  /// Undoes what files are compressed by.
  let decompressor: any BlockDecompressor
  let cache = ClusterCache()
  public let byteCount: UInt64

  public var format: FileSystemFormat { .erofs }
  public var uuid: [UInt8] { superblock.uuid }
  public var mayBeCompressed: Bool { !superblock.features.subtracting([.chunkedFiles, .attributePrefixes]).isEmpty }

  public mutating func forgetBlocks() { blocks.forget() }

  /// Hands out the verified device below.
  public func withBlocks<Result>(_ body: (borrowing Blocks) -> Result) -> Result { body(blocks) }

  /// Checks the boot area and the superblock.
  ///
  /// The file system must lie wholly in the verified device; the sizes of their blocks have nothing to do with each other.
  /// How many blocks the device has is not under the root hash. What keeps hash blocks from posing as data, and data as hash
  /// blocks, is the boot area: the first block of the data has zeros where a hash block has digests.
  ///
  /// - Parameter decompressor: undoes what files are compressed by.
  public init(
    _ blocks: consuming Blocks, limits: FileSystemLimits = FileSystemLimits(),
    decompressor: any BlockDecompressor = LibraryBlockDecompressor()
  ) throws(FileSystemError) {
    let blockSize = blocks.blockSize
    let (deviceBytes, overflow) = blocks.blockCount.multipliedReportingOverflow(by: UInt64(clamping: blockSize))
    guard blockSize > 0, !overflow, deviceBytes <= UInt64(Int.max) else {
      throw FileSystemError(
        .deviceSize, expected: "a device of less than 2^63 bytes",
        found: "\(blocks.blockCount) blocks of \(blockSize) bytes")
    }
    let head = try Self.bytes(
      of: blocks, byteCount: deviceBytes, at: ErofsSuperblock.offset, count: ErofsSuperblock.size)
    // Other file systems may begin as they like.
    try ErofsSuperblock.requireMagic(head.rawSpan)
    let bootArea = try Self.bytes(of: blocks, byteCount: deviceBytes, at: 0, count: Int(ErofsSuperblock.offset))
    if let magic = try? bootArea.rawSpan.u32(at: 0), magic == Self.composefsMagic {
      throw FileSystemError(
        .feature, offset: 0, expected: "1024 zero bytes",
        found: "a header of composefs, whose files lie outside of the image")
    }
    if let place = bootArea.rawSpan.firstNonzeroOffset {
      throw FileSystemError(
        .bootArea, offset: UInt64(place), expected: "1024 zero bytes", found: "byte \(bootArea[place])")
    }
    let superblock = try ErofsSuperblock(head.rawSpan)
    // Both factors are bounded by the superblock's own checks: 2^32 blocks of 2^16 bytes.
    let byteCount = superblock.blockCount * UInt64(superblock.blockSize)
    guard byteCount <= deviceBytes else {
      throw ErofsSuperblock.error(
        .deviceSize, at: 36, expected: "at most the \(deviceBytes) bytes under the root hash",
        found: "\(superblock.blockCount) blocks of \(superblock.blockSize) bytes")
    }
    let summed = try Self.bytes(
      of: blocks, byteCount: byteCount, at: ErofsSuperblock.offset,
      count: ErofsSuperblock.checksummedCount(blockSize: superblock.blockSize))
    let checksum = ErofsSuperblock.checksum(of: summed)
    // The checksum adds nothing to the root hash; where there is one, it is not allowed to be wrong.
    guard checksum == superblock.checksum || !superblock.hasChecksum else {
      throw ErofsSuperblock.error(
        .checksum, at: ErofsSuperblock.checksumOffset, expected: ErofsSuperblock.hexadecimal(checksum),
        found: ErofsSuperblock.hexadecimal(superblock.checksum))
    }
    self.blocks = blocks
    self.superblock = superblock
    self.limits = limits
    self.decompressor = decompressor
    self.byteCount = byteCount
  }

  /// What a composefs image begins with (`LCFS_EROFS_MAGIC`, libcomposefs/lcfs-erofs.h).
  private static var composefsMagic: UInt32 { 0xd078_629a }

  /// A private copy of proven bytes.
  func bytes(at offset: UInt64, count: Int) throws(FileSystemError) -> [UInt8] {
    try Self.bytes(of: blocks, byteCount: byteCount, at: offset, count: count)
  }

  private static func bytes(
    of blocks: borrowing Blocks, byteCount: UInt64, at offset: UInt64, count: Int
  ) throws(FileSystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    try append(to: &bytes, of: blocks, byteCount: byteCount, at: offset, count: count)
    return bytes
  }

  /// Appends a copy of the proven bytes that start at `offset`.
  func append(to bytes: inout [UInt8], at offset: UInt64, count: Int) throws(FileSystemError) {
    try Self.append(to: &bytes, of: blocks, byteCount: byteCount, at: offset, count: count)
  }

  private static func append(
    to bytes: inout [UInt8], of blocks: borrowing Blocks, byteCount: UInt64, at offset: UInt64, count: Int
  ) throws(FileSystemError) {
    guard count >= 0, offset <= byteCount, UInt64(count) <= byteCount - offset else {
      throw FileSystemError(
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
        throw FileSystemError(
          .block, offset: index * blockSize, expected: "block \(index) as the root hash promises it", found: "\(error)",
          blockFailure: error)
      }
      position += length
    }
  }
}
