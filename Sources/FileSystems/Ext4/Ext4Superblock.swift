internal import Base
internal import KernelABI

/// The superblock, 1024 bytes at byte 1024 (`struct ext4_super_block`, fs/ext4/ext4.h), of ext2, ext3 and ext4.
struct Ext4Superblock: Equatable, Sendable {
  /// Where it is, in bytes from the start of the image.
  static let offset: UInt64 = 1024
  /// Bytes it has.
  static let size = 1024
  /// `EXT4_SUPER_MAGIC`.
  static let magic = UInt16(truncatingIfNeeded: FileSystemMagic.ext4.rawValue)

  let inodeCount: UInt32
  let blockCount: UInt64
  /// The block that the superblock is in.
  let firstDataBlock: UInt64
  /// Bytes a block has: a power of two from 1 to 64 KiB.
  let blockSize: Int
  /// Bytes that are allocated together: several blocks with the feature BIGALLOC.
  let clusterBytes: UInt64
  let blocksPerGroup: UInt64
  let inodesPerGroup: UInt32
  let inodeSize: Int
  /// The first inode that is no part of the file system's own.
  let firstInode: UInt32
  let compatible: Compatible
  let incompatible: Incompatible
  let readOnly: ReadOnlyCompatible
  let uuid: [UInt8]
  /// Bytes a group descriptor has.
  let descriptorSize: Int
  let firstMetaGroup: UInt32
  /// The only groups with a copy of the superblock, where the feature SPARSE_SUPER2 names them.
  let backupGroups: [UInt32]
  /// What hashes of names begin with.
  let hashSeed: [UInt32]
  /// Whether hashes take the bytes of names for numbers without a sign; nil where that is not said.
  let hashesUnsignedBytes: Bool?
  /// What every checksum begins with; nil when metadata have none.
  let checksumSeed: UInt32?

  struct Compatible: OptionSet, Equatable, Sendable {
    let rawValue: UInt32
    static let indexedDirectories = Compatible(rawValue: 0x20)
    static let sparseSuper2 = Compatible(rawValue: 0x200)
    /// DIR_PREALLOC, IMAGIC_INODES, HAS_JOURNAL, EXT_ATTR, RESIZE_INODE, DIR_INDEX, SPARSE_SUPER2, FAST_COMMIT,
    /// STABLE_INODES, ORPHAN_FILE: where metadata are, and how they are written.
    static let known = Compatible(rawValue: 0x1e3f)
  }

  struct Incompatible: OptionSet, Equatable, Sendable {
    let rawValue: UInt32
    static let fileType = Incompatible(rawValue: 0x2)
    static let metaGroups = Incompatible(rawValue: 0x10)
    static let extents = Incompatible(rawValue: 0x40)
    static let wide = Incompatible(rawValue: 0x80)
    static let checksumSeed = Incompatible(rawValue: 0x2000)
    static let flexibleGroups = Incompatible(rawValue: 0x200)
    static let largeDirectories = Incompatible(rawValue: 0x4000)
    static let inlineData = Incompatible(rawValue: 0x8000)
    /// With MMP and EA_INODE, which change nothing that is read here; with ENCRYPT and CASEFOLD, whose files and
    /// directories are marked one by one.
    static let known = Incompatible(rawValue: 0x3e7d2)
    /// The names of the others, by bit.
    static let otherNames: [Int: String] = [
      0: "COMPRESSION", 2: "RECOVER (a journal that has to be replayed)", 3: "JOURNAL_DEV (a journal, no file system)",
      12: "DIRDATA",
    ]
  }

  struct ReadOnlyCompatible: OptionSet, Equatable, Sendable {
    let rawValue: UInt32
    static let sparseSuper = ReadOnlyCompatible(rawValue: 0x1)
    static let hugeFiles = ReadOnlyCompatible(rawValue: 0x8)
    /// Group descriptors have the older checksum, a CRC-16.
    static let descriptorChecksums = ReadOnlyCompatible(rawValue: 0x10)
    static let checksums = ReadOnlyCompatible(rawValue: 0x400)
    /// With LARGE_FILE, DIR_NLINK, EXTRA_ISIZE, QUOTA, BIGALLOC, READONLY, PROJECT, SHARED_BLOCKS and VERITY.
    static let known = ReadOnlyCompatible(rawValue: 0xf77b)
    static let otherNames: [Int: String] = [
      7: "HAS_SNAPSHOT", 11: "REPLICA", 16: "ORPHAN_PRESENT (files that have to be removed)",
    ]
  }

  var byteCount: UInt64 { blockCount * UInt64(blockSize) }
  var groupCount: UInt64 { (blockCount - firstDataBlock + blocksPerGroup - 1) / blocksPerGroup }

  /// Reads the superblock, and refuses what the kernel would refuse (fs/ext4/super.c, ext4_load_super and what follows).
  ///
  /// - Parameter bytes: the 1024 bytes at ``offset``.
  init(_ bytes: [UInt8]) throws(FileSystemError) {
    let raw: RawExt4Superblock
    do throws(ByteError) {
      raw = try RawExt4Superblock(bytes.rawSpan)
    } catch {
      throw Self.error(.superblock, at: 0, expected: "\(Self.size) bytes", found: "\(bytes.count) bytes")
    }
    guard raw.magic == Self.magic else {
      throw Self.error(.superblock, at: 56, expected: "magic ef53", found: String(raw.magic, radix: 16))
    }
    compatible = Compatible(rawValue: raw.isOld ? 0 : raw.compatible)
    incompatible = Incompatible(rawValue: raw.isOld ? 0 : raw.incompatible)
    readOnly = ReadOnlyCompatible(rawValue: raw.isOld ? 0 : raw.readOnly)
    try Self.checkFeatures(compatible, incompatible, readOnly)
    let isWide = incompatible.contains(.wide)
    inodeCount = raw.inodeCount
    blockCount = UInt64(raw.blockCount) | (isWide ? UInt64(raw.blockCountHigh) << 32 : 0)
    firstDataBlock = UInt64(raw.firstDataBlock)
    blockSize = 1024 << Int(min(raw.blockBits, 20))
    blocksPerGroup = UInt64(raw.blocksPerGroup)
    inodesPerGroup = raw.inodesPerGroup
    inodeSize = raw.isOld ? 128 : Int(raw.inodeSize)
    firstInode = raw.isOld ? 11 : raw.firstInode
    uuid = raw.uuid
    descriptorSize = isWide ? Int(raw.descriptorSize) : 32
    firstMetaGroup = raw.firstMetaGroup
    backupGroups = raw.backupGroups
    hashSeed = raw.hashSeed
    hashesUnsignedBytes = raw.flags & 3 == 1 ? false : raw.flags & 3 == 2 ? true : nil
    clusterBytes = 1024 << UInt64(min(raw.clusterBits, 40))
    checksumSeed =
      readOnly.contains(.checksums)
      ? incompatible.contains(.checksumSeed) ? raw.checksumSeed : CRC32C.checksum(raw.uuid) : nil
    try checkNumbers()
    // Of all bytes before the checksum.
    let checksum = CRC32C.checksum(Array(bytes[..<0x3fc]))
    guard checksumSeed == nil || (raw.checksumType == 1 && checksum == raw.checksum) else {
      throw Self.error(
        .checksum, at: 0x3fc, expected: "CRC-32C \(String(checksum, radix: 16))",
        found: "type \(raw.checksumType), \(String(raw.checksum, radix: 16))")
    }
  }

  private static func checkFeatures(
    _ compatible: Compatible, _ incompatible: Incompatible, _ readOnly: ReadOnlyCompatible
  ) throws(FileSystemError) {
    let sets: [(field: Int, value: UInt32, known: UInt32, names: [Int: String])] = [
      (96, incompatible.rawValue, Incompatible.known.rawValue, Incompatible.otherNames),
      (100, readOnly.rawValue, ReadOnlyCompatible.known.rawValue, ReadOnlyCompatible.otherNames),
      (92, compatible.rawValue, Compatible.known.rawValue, [:]),
    ]
    for set in sets {
      let others = set.value & ~set.known
      guard others != 0 else { continue }
      let names = (0..<32).filter { others >> UInt32($0) & 1 == 1 }
        .map { bit -> String in set.names[bit] ?? "unknown bit \(bit)" }
      throw error(
        .feature, at: set.field, expected: "features within 0x\(String(set.known, radix: 16))",
        found: names.separated(by: ", "))
    }
  }

  private func checkNumbers() throws(FileSystemError) {
    func require(_ isSound: Bool, at field: Int, _ expected: String, _ found: String) throws(FileSystemError) {
      if !isSound { throw Self.error(.superblock, at: field, expected: expected, found: found) }
    }
    try require(blockSize <= 1 << 16, at: 24, "a block size of at most 64 KiB", "\(blockSize)")
    try require(
      blockCount > firstDataBlock && blockCount <= UInt64(Int.max) / UInt64(blockSize), at: 4,
      "more blocks than come before the first, and less than 2^63 bytes", "\(blockCount) blocks")
    try require(
      inodeSize >= 128 && inodeSize <= blockSize && inodeSize.nonzeroBitCount == 1, at: 88,
      "inodes of 128 bytes to a block, a power of two", "\(inodeSize)")
    try require(
      descriptorSize >= (incompatible.contains(.wide) ? 64 : 32) && descriptorSize <= 1024
        && descriptorSize.nonzeroBitCount == 1, at: 0xfe, "group descriptors of 32 or 64 to 1024 bytes",
      "\(descriptorSize)")
    try require(
      1...UInt64(8 * blockSize) * max(1, clusterBytes / UInt64(blockSize)) ~= blocksPerGroup, at: 32,
      "as many blocks in a group as a block has bits", "\(blocksPerGroup)")
    try require(
      1...UInt32(8 * blockSize) ~= inodesPerGroup, at: 40, "as many inodes in a group as a block has bits",
      "\(inodesPerGroup)")
    try require(
      groupCount.multipliedReportingOverflow(by: UInt64(inodesPerGroup)) == (UInt64(inodeCount), false), at: 0,
      "\(inodesPerGroup) inodes in each of \(groupCount) groups", "\(inodeCount)")
    try require(firstInode >= 11, at: 84, "no file before inode 11", "\(firstInode)")
  }

  /// Where the descriptor of a group is, in bytes from the start of the image (fs/ext4/super.c, descriptor_loc).
  func descriptorOffset(of group: UInt64) -> UInt64 {
    let perBlock = UInt64(blockSize / descriptorSize)
    let number = group / perBlock
    var block = (blockSize == 1024 ? 1 : 0) + number + 1
    if incompatible.contains(.metaGroups), number >= UInt64(firstMetaGroup) {
      let first = number * perBlock
      block = firstDataBlock + first * blocksPerGroup + (hasSuperblock(first) ? 1 : 0)
      // Where blocks have 1024 bytes and the first data block is 0, the superblock is in block 1.
      if blockSize == 1024, number == 0, firstDataBlock == 0 { block += 1 }
    }
    return block * UInt64(blockSize) + group % perBlock * UInt64(descriptorSize)
  }

  /// Whether a group begins with a copy of the superblock (fs/ext4/balloc.c, ext4_bg_has_super).
  private func hasSuperblock(_ group: UInt64) -> Bool {
    if group == 0 { return true }
    if compatible.contains(.sparseSuper2) { return backupGroups.contains { UInt64($0) == group } }
    if group == 1 || !readOnly.contains(.sparseSuper) { return true }
    return [3, 5, 7].contains { (base: UInt64) in
      var power = base
      while power < group { power *= base }
      return power == group
    }
  }

  static func error(_ check: FileSystemError.Check, at field: Int, expected: String, found: String) -> FileSystemError {
    FileSystemError(check, offset: offset + UInt64(field), expected: expected, found: found, format: .ext4)
  }
}

/// The fields as they stand.
private struct RawExt4Superblock {
  let inodeCount: UInt32
  let blockCount: UInt32
  let firstDataBlock: UInt32
  let blockBits: UInt32
  let clusterBits: UInt32
  let blocksPerGroup: UInt32
  let inodesPerGroup: UInt32
  let magic: UInt16
  /// The first revision, which has no features.
  let isOld: Bool
  let firstInode: UInt32
  let inodeSize: UInt16
  let compatible: UInt32
  let incompatible: UInt32
  let readOnly: UInt32
  let uuid: [UInt8]
  let hashSeed: [UInt32]
  /// `EXT2_FLAGS_SIGNED_HASH` and `EXT2_FLAGS_UNSIGNED_HASH`.
  let flags: UInt32
  let descriptorSize: UInt16
  let firstMetaGroup: UInt32
  let blockCountHigh: UInt32
  let checksumType: UInt8
  let backupGroups: [UInt32]
  let checksumSeed: UInt32
  let checksum: UInt32

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    inodeCount = try bytes.u32(at: 0)
    blockCount = try bytes.u32(at: 4)
    firstDataBlock = try bytes.u32(at: 20)
    blockBits = try bytes.u32(at: 24)
    clusterBits = try bytes.u32(at: 28)
    blocksPerGroup = try bytes.u32(at: 32)
    inodesPerGroup = try bytes.u32(at: 40)
    magic = try bytes.u16(at: 56)
    isOld = try bytes.u32(at: 76) == 0
    firstInode = try bytes.u32(at: 84)
    inodeSize = try bytes.u16(at: 88)
    compatible = try bytes.u32(at: 92)
    incompatible = try bytes.u32(at: 96)
    readOnly = try bytes.u32(at: 100)
    uuid = try bytes.slice(at: 104, count: 16).copyBytes()
    hashSeed = [
      try bytes.u32(at: 0xec), try bytes.u32(at: 0xf0), try bytes.u32(at: 0xf4), try bytes.u32(at: 0xf8),
    ]
    flags = try bytes.u32(at: 0x160)
    descriptorSize = try bytes.u16(at: 0xfe)
    firstMetaGroup = try bytes.u32(at: 0x104)
    blockCountHigh = try bytes.u32(at: 0x150)
    checksumType = try bytes.u8(at: 0x175)
    backupGroups = [try bytes.u32(at: 0x24c), try bytes.u32(at: 0x250)]
    checksumSeed = try bytes.u32(at: 0x270)
    checksum = try bytes.u32(at: 0x3fc)
  }
}
