public import Verity
internal import KernelABI
internal import Base

/// The superblock, 128 bytes at byte 1024 (`struct erofs_super_block`, fs/erofs/erofs_fs.h).
public struct ErofsSuperblock: Equatable, Sendable {
  /// Where it is, in bytes from the start of the image.
  public static let offset: UInt64 = 1024
  /// Bytes it has.
  public static let size = 128
  /// What it begins with (`EROFS_SUPER_MAGIC_V1`).
  public static let magic = UInt32(truncatingIfNeeded: FileSystemMagic.erofs.rawValue)
  /// Where its checksum is, in bytes from ``offset``.
  public static let checksumOffset = 4

  /// CRC-32C of the superblock's block with this field zero.
  public let checksum: UInt32
  /// Bytes a block has.
  public let blockSize: Int
  /// The inode of the root directory.
  public let rootNid: UInt64
  /// Number of inodes; informative, nothing is sized by it.
  public let inodeCount: UInt64
  /// Number of blocks of the file system.
  public let blockCount: UInt64
  /// The block where inodes begin.
  public let metadataBlock: UInt64
  /// 16 bytes.
  public let uuid: [UInt8]
  /// Up to 15 bytes of text.
  public let volumeName: String
  /// Whether there is a checksum.
  let hasChecksum: Bool
  /// The incompatible features in use.
  let features: Features
  /// What files may be compressed by.
  let compressions: Set<BlockCompression>
  /// The inode that holds fragments of files.
  let packedNid: UInt64

  /// `feature_incompat` bits that are read here (`EROFS_FEATURE_INCOMPAT_*`).
  struct Features: OptionSet, Equatable, Sendable {
    let rawValue: UInt32

    /// Compressed bytes end with their cluster, and zeros come before them.
    static let zeroPadding = Features(rawValue: 0x01)
    /// The superblock names the compressions, and clusters may have several blocks.
    static let compressionSettings = Features(rawValue: 0x02)
    static let chunkedFiles = Features(rawValue: 0x04)
    /// A second compression in one file; or, with extra devices, a table of those.
    static let secondHead = Features(rawValue: 0x08)
    static let tailPacking = Features(rawValue: 0x10)
    /// Fragments in a packed inode, or parts of clusters that several files share.
    static let fragments = Features(rawValue: 0x20)
    /// Long prefixes of names of extended attributes, which are not read here.
    static let attributePrefixes = Features(rawValue: 0x40)

    static let known: Features = [
      .zeroPadding, .compressionSettings, .chunkedFiles, .secondHead, .tailPacking, .fragments, .attributePrefixes,
    ]
    /// The names of those above, by bit.
    static let otherNames: [Int: String] = [7: "48BIT", 8: "METABOX (metadata compression)"]
  }

  private static let checksumFeature: UInt32 = 1
  /// `feature_compat`: SB_CHKSUM, MTIME, XATTR_FILTER, SHARED_EA_IN_METABOX, PLAIN_XATTR_PFX, ISHARE_XATTRS. None but the first
  /// changes anything that is read here.
  private static let acceptedCompatible: UInt32 = 0x3f
  /// ISHARE_XATTRS.
  private static let sharedContents: UInt32 = 0x20

  /// Reads the superblock and refuses whatever would let another reader see another file system than this one.
  ///
  /// - Parameter bytes: the 128 bytes at ``offset``.
  init(_ bytes: borrowing RawSpan) throws(FileSystemError) {
    let raw: RawSuperblock
    do throws(ByteError) {
      raw = try RawSuperblock(bytes)
    } catch {
      throw Self.error(.superblock, at: 0, expected: "\(Self.size) bytes", found: "\(bytes.byteCount) bytes")
    }
    try Self.requireMagic(bytes)
    try Self.checkFeatures(raw)
    guard 9...16 ~= raw.blockBits else {
      throw Self.error(
        .superblock, at: 12, expected: "a block size of 2^9 to 2^16 bytes", found: "2^\(raw.blockBits)")
    }
    let terminator = raw.volumeName.firstIndex(of: 0)
    guard let terminator, let name = String(validating: raw.volumeName[..<terminator], as: UTF8.self) else {
      let found = "hexadecimal \(Hex.encode(raw.volumeName))"
      throw Self.error(.superblock, at: 64, expected: "a NUL-terminated volume name in UTF-8", found: found)
    }
    checksum = raw.checksum
    blockSize = 1 << Int(raw.blockBits)
    rootNid = UInt64(raw.rootNid)
    inodeCount = raw.inodeCount
    blockCount = UInt64(raw.blockCount)
    metadataBlock = UInt64(raw.metadataBlock)
    uuid = raw.uuid
    volumeName = name
    hasChecksum = raw.compatible & Self.checksumFeature != 0
    features = Features(rawValue: raw.incompatible)
    // Without settings there is LZ4 alone, and the field has another meaning.
    let named = features.contains(.compressionSettings) ? raw.compressions : 1
    compressions = Set(
      BlockCompression.allCases.filter { compression in compression.erofsNumber.map { named >> $0 & 1 == 1 } ?? false })
    packedNid = raw.packedNid
  }

  /// Refuses what is no EROFS superblock at all.
  static func requireMagic(_ bytes: borrowing RawSpan) throws(FileSystemError) {
    let found = try? bytes.u32(at: 0)
    guard found == magic else {
      throw error(
        .magic, at: 0, expected: "magic \(hexadecimal(magic))", found: found.map { hexadecimal($0) } ?? "no bytes")
    }
  }

  private static func checkFeatures(_ raw: RawSuperblock) throws(FileSystemError) {
    guard raw.compatible & ~acceptedCompatible == 0 else {
      let expected = "compatible features within \(hexadecimal(acceptedCompatible))"
      throw error(.feature, at: 8, expected: expected, found: hexadecimal(raw.compatible))
    }
    let refused = raw.incompatible & ~Features.known.rawValue
    guard refused == 0 else {
      let names = (0..<32).filter { refused >> UInt32($0) & 1 == 1 }
        .map { bit -> String in Features.otherNames[bit] ?? "unknown bit \(bit)" }
      let expected = "incompatible features within \(hexadecimal(Features.known.rawValue))"
      throw error(.feature, at: 80, expected: expected, found: names.joined(separator: ", "))
    }
    let hasSettings = Features(rawValue: raw.incompatible).contains(.compressionSettings)
    guard !hasSettings || raw.compressions & ~0xf == 0 else {
      throw error(
        .feature, at: 84, expected: "compressions within 0xf", found: hexadecimal(UInt32(raw.compressions)))
    }
    // Each of these names a structure outside what is read here; all are zero in an image that does not use one.
    let absent: [(name: String, offset: Int, value: UInt16)] = [
      ("superblock extension slots", 13, UInt16(raw.extensionSlots)), ("device table", 86, raw.extraDevices),
      ("directory block bits", 90, UInt16(raw.directoryBlockBits)),
    ]
    for field in absent where field.value != 0 {
      throw error(.feature, at: field.offset, expected: "no \(field.name)", found: "\(field.name), \(field.value)")
    }
  }

  /// The number of bytes from ``offset`` that the checksum covers: to the end of the first block, or one block when
  /// blocks are 1024 bytes or less.
  public static func checksummedCount(blockSize: Int) -> Int {
    blockSize > Int(offset) ? blockSize - Int(offset) : blockSize
  }

  /// The checksum for a superblock's bytes; the bytes of the field itself count as zero.
  ///
  /// - Parameter bytes: ``checksummedCount(blockSize:)`` bytes from ``offset``.
  public static func checksum(of bytes: [UInt8]) -> UInt32 {
    var zeroed = bytes
    for index in checksumOffset..<checksumOffset + 4 where index < zeroed.count { zeroed[index] = 0 }
    return CRC32C.checksum(zeroed)
  }

  static func error(_ check: FileSystemError.Check, at field: Int, expected: String, found: String) -> FileSystemError {
    FileSystemError(check, offset: offset + UInt64(field), expected: expected, found: found)
  }

  static func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}

extension ErofsSuperblock {
  /// Whether the kernel reads the file system from this one device, be it in a layout that is refused here.
  ///
  /// The layouts are an allow-list: a feature that is not known may name another device. Contents that are shared in the page
  /// cache with other file systems (`ISHARE_XATTRS`, Linux 7.0) may come from those.
  public static func isOnOneDevice<Blocks: VerifiedBlocks & ~Copyable>(
    _ blocks: borrowing Blocks
  ) throws(VerityError) -> Bool {
    // No block is smaller than 512 bytes, so the superblock lies in one.
    let blockSize = UInt64(blocks.blockSize)
    guard blockSize >= 512, offset / blockSize < blocks.blockCount else { return false }
    let place = Int(offset % blockSize)
    let bytes = try blocks.block(offset / blockSize).bytes.extracting(place..<place + size)
    guard let raw = try? RawSuperblock(bytes), raw.magic == magic else { return false }
    let layouts = Features.otherNames.keys.reduce(Features.known.rawValue) { $0 | 1 << UInt32($1) }
    // The bit of a second compression is that of a table of devices too.
    guard raw.incompatible & ~layouts == 0, !Features(rawValue: raw.incompatible).contains(.secondHead) else {
      return false
    }
    return raw.extraDevices == 0 && raw.compatible & ~(acceptedCompatible & ~sharedContents) == 0
  }
}

/// The fields as they stand.
private struct RawSuperblock {
  let magic: UInt32
  let checksum: UInt32
  let compatible: UInt32
  let blockBits: UInt8
  let extensionSlots: UInt8
  let rootNid: UInt16
  let inodeCount: UInt64
  let blockCount: UInt32
  let metadataBlock: UInt32
  let uuid: [UInt8]
  let volumeName: [UInt8]
  let incompatible: UInt32
  let extraDevices: UInt16
  let directoryBlockBits: UInt8
  /// A bit for each compression; where there are no settings, a distance that LZ4 keeps to.
  let compressions: UInt16
  let packedNid: UInt64

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    magic = try bytes.u32(at: 0)
    checksum = try bytes.u32(at: 4)
    compatible = try bytes.u32(at: 8)
    blockBits = try bytes.u8(at: 12)
    extensionSlots = try bytes.u8(at: 13)
    rootNid = try bytes.u16(at: 14)
    inodeCount = try bytes.u64(at: 16)
    blockCount = try bytes.u32(at: 36)
    metadataBlock = try bytes.u32(at: 40)
    uuid = try bytes.slice(at: 48, count: 16).copyBytes()
    volumeName = try bytes.slice(at: 64, count: 16).copyBytes()
    incompatible = try bytes.u32(at: 80)
    extraDevices = try bytes.u16(at: 86)
    directoryBlockBits = try bytes.u8(at: 90)
    compressions = try bytes.u16(at: 84)
    packedNid = try bytes.u64(at: 96)
  }
}
