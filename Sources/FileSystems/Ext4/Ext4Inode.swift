internal import Base

/// What the bytes of an inode say (`struct ext4_inode`, fs/ext4/ext4.h), before anything is checked against the device.
struct Ext4Inode: Equatable, Sendable {
  let mode: UInt16
  let owner: UInt32
  let group: UInt32
  let size: UInt64
  let linkCount: UInt16
  let flags: Flags
  let generation: UInt32
  /// Whether blocks belong to it, those of its extended attributes left out.
  let hasBlocks: Bool
  /// The map of its blocks, the root of its tree of extents, or contents.
  let map: [UInt8]
  /// Where extended attributes begin in the inode; nil when it has none there.
  let attributes: Int?
  private let checksumLow: UInt16
  /// Nil where the inode is too small for it.
  private let checksumHigh: UInt16?
  /// The whole inode.
  let bytes: [UInt8]

  struct Flags: OptionSet, Equatable, Sendable {
    let rawValue: UInt32
    static let compressed = Flags(rawValue: 0x4)
    static let encrypted = Flags(rawValue: 0x800)
    /// A directory with hashes.
    static let indexed = Flags(rawValue: 0x1000)
    static let extents = Flags(rawValue: 0x8_0000)
    static let verity = Flags(rawValue: 0x10_0000)
    /// Holds a value of an extended attribute.
    static let attributeValue = Flags(rawValue: 0x20_0000)
    static let inlineData = Flags(rawValue: 0x1000_0000)
    static let caseFolded = Flags(rawValue: 0x4000_0000)
  }

  init(_ inode: [UInt8], superblock: Ext4Superblock) throws(ByteError) {
    let span = inode.rawSpan
    mode = try span.u16(at: 0)
    owner = UInt32(try span.u16(at: 2)) | UInt32(try span.u16(at: 120)) << 16
    group = UInt32(try span.u16(at: 24)) | UInt32(try span.u16(at: 122)) << 16
    linkCount = try span.u16(at: 26)
    flags = Flags(rawValue: try span.u32(at: 32))
    map = try span.slice(at: 40, count: 60).copyBytes()
    generation = try span.u32(at: 100)
    // Only regular files, and directories where the feature says so, are larger than 4 GiB.
    let isLarge = mode >> 12 == 0o10 || superblock.incompatible.contains(.largeDirectories)
    size = UInt64(try span.u32(at: 4)) | (isLarge ? UInt64(try span.u32(at: 108)) << 32 : 0)
    var blocks = UInt64(try span.u32(at: 28))
    if superblock.readOnly.contains(.hugeFiles) { blocks |= UInt64(try span.u16(at: 116)) << 32 }
    let attributeBlock = UInt64(try span.u32(at: 104)) | UInt64(try span.u16(at: 118)) << 32
    hasBlocks = blocks != (attributeBlock != 0 ? max(superblock.clusterBytes, UInt64(superblock.blockSize)) / 512 : 0)
    let extra = inode.count > 128 ? Int(try span.u16(at: 128)) : 0
    attributes = inode.count > 128 && 128 + extra + 4 <= inode.count ? 128 + extra : nil
    checksumLow = try span.u16(at: 124)
    checksumHigh = extra >= 4 ? try span.u16(at: 130) : nil
    bytes = inode
  }

  /// What the checksums of its metadata begin with.
  func checksumSeed(_ number: UInt64, _ seed: UInt32) -> UInt32 {
    var prefix: [UInt8] = []
    prefix.appendLittleEndian(UInt32(truncatingIfNeeded: number))
    prefix.appendLittleEndian(generation)
    return CRC32C.checksum(prefix, from: seed)
  }

  /// The checksum that it should have, and the one that it has (fs/ext4/inode.c, ext4_inode_csum).
  func checksums(seed: UInt32) -> (computed: UInt32, stored: UInt32) {
    var zeroed = bytes
    zeroed.storeLittleEndian(0 as UInt16, at: 124)
    if checksumHigh != nil { zeroed.storeLittleEndian(0 as UInt16, at: 130) }
    let computed = CRC32C.checksum(zeroed, from: seed)
    guard let checksumHigh else { return (computed & 0xffff, UInt32(checksumLow)) }
    return (computed, UInt32(checksumLow) | UInt32(checksumHigh) << 16)
  }
}
