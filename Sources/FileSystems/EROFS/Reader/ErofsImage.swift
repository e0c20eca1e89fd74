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
  public var uuid: [UInt8]? { superblock.uuid }
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
    let head = try blocks.head(format: .erofs)
    try self.init(blocks, head: head, limits: limits, decompressor: decompressor)
  }

  /// The same where the beginning of the device was read already.
  init(
    _ blocks: consuming Blocks, head: [UInt8], limits: FileSystemLimits, decompressor: any BlockDecompressor
  ) throws(FileSystemError) {
    let deviceBytes = try blocks.deviceByteCount(format: .erofs)
    let (start, end) = (Int(ErofsSuperblock.offset), Int(ErofsSuperblock.offset) + ErofsSuperblock.size)
    guard head.count >= end else {
      throw FileSystemError(
        .range, offset: ErofsSuperblock.offset, expected: "\(ErofsSuperblock.size) bytes of a superblock",
        found: "a device of \(head.count) bytes")
    }
    let bootArea = Array(head[..<start])
    let fields = Array(head[start..<end])
    // Other file systems may begin as they like.
    try ErofsSuperblock.requireMagic(fields.rawSpan)
    if let magic = try? bootArea.rawSpan.u32(at: 0), magic == Self.composefsMagic {
      throw FileSystemError(
        .feature, offset: 0, expected: "1024 zero bytes",
        found: "a header of composefs, whose files lie outside of the image")
    }
    if let place = bootArea.rawSpan.firstNonzeroOffset {
      throw FileSystemError(
        .bootArea, offset: UInt64(place), expected: "1024 zero bytes", found: "byte \(bootArea[place])")
    }
    let superblock = try ErofsSuperblock(fields.rawSpan)
    // Both factors are bounded by the superblock's own checks: 2^32 blocks of 2^16 bytes.
    let byteCount = superblock.blockCount * UInt64(superblock.blockSize)
    guard byteCount <= deviceBytes else {
      throw ErofsSuperblock.error(
        .deviceSize, at: 36, expected: "at most the \(deviceBytes) bytes under the root hash",
        found: "\(superblock.blockCount) blocks of \(superblock.blockSize) bytes")
    }
    let summed = try blocks.bytes(
      byteCount: byteCount, at: ErofsSuperblock.offset,
      count: ErofsSuperblock.checksummedCount(blockSize: superblock.blockSize), format: .erofs)
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
    try blocks.bytes(byteCount: byteCount, at: offset, count: count, format: .erofs)
  }

  /// Appends a copy of the proven bytes that start at `offset`.
  func append(to bytes: inout [UInt8], at offset: UInt64, count: Int) throws(FileSystemError) {
    try blocks.append(to: &bytes, byteCount: byteCount, at: offset, count: count, format: .erofs)
  }
}
