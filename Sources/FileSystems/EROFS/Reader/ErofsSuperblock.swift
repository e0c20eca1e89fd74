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
  /// Whether files may be stored in chunks (the only optional layout this reader knows).
  public let hasChunkedFiles: Bool

  /// Names of `feature_compat` bits, which a reader may ignore by definition. Only those known not to change anything
  /// this reader does are accepted: SB_CHKSUM must be set, MTIME and XATTR_FILTER may be.
  private static let checksumFeature: UInt32 = 1
  private static let acceptedCompatible: UInt32 = 0x7
  private static let chunkedFileFeature: UInt32 = 0x4
  /// `EROFS_FEATURE_INCOMPAT_*` by bit.
  private static let incompatibleNames = [
    "ZERO_PADDING (compression)", "COMPR_CFGS or BIG_PCLUSTER (compression)", "CHUNKED_FILE",
    "DEVICE_TABLE (extra devices)", "ZTAILPACKING (compression)", "FRAGMENTS or DEDUPE (compression)",
    "XATTR_PREFIXES", "48BIT", "METABOX",
  ]

  /// Reads the superblock and refuses whatever would let another reader see another file system than this one.
  ///
  /// - Parameter bytes: the 128 bytes at ``offset``.
  init(_ bytes: borrowing RawSpan) throws(ErofsError) {
    let raw: RawSuperblock
    do throws(ByteError) {
      raw = try RawSuperblock(bytes)
    } catch {
      throw Self.error(.superblock, at: 0, expected: "\(Self.size) bytes", found: "\(bytes.byteCount) bytes")
    }
    guard raw.magic == Self.magic else {
      throw Self.error(
        .magic, at: 0, expected: "magic \(Self.hexadecimal(Self.magic))", found: Self.hexadecimal(raw.magic))
    }
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
    hasChunkedFiles = raw.incompatible & Self.chunkedFileFeature != 0
  }

  private static func checkFeatures(_ raw: RawSuperblock) throws(ErofsError) {
    guard raw.compatible & checksumFeature != 0 else {
      throw error(
        .checksum, at: 8, expected: "feature SB_CHKSUM", found: "compatible features \(hexadecimal(raw.compatible))")
    }
    guard raw.compatible & ~acceptedCompatible == 0 else {
      let expected = "compatible features within \(hexadecimal(acceptedCompatible))"
      throw error(.feature, at: 8, expected: expected, found: hexadecimal(raw.compatible))
    }
    let refused = raw.incompatible & ~chunkedFileFeature
    guard refused == 0 else {
      let names = (0..<32).filter { refused >> UInt32($0) & 1 == 1 }
        .map { $0 < incompatibleNames.count ? incompatibleNames[$0] : "unknown bit \($0)" }
      let expected = "no incompatible feature other than CHUNKED_FILE"
      throw error(.feature, at: 80, expected: expected, found: names.joined(separator: ", "))
    }
    // Each of these names a structure outside what is read here; all are zero in an image that does not use one.
    let absent: [(name: String, offset: Int, value: UInt16)] = [
      ("superblock extension slots", 13, UInt16(raw.extensionSlots)), ("extra devices", 86, raw.extraDevices),
      ("directory block bits", 90, UInt16(raw.directoryBlockBits)),
      ("long xattr name prefixes", 91, UInt16(raw.xattrPrefixes)),
    ]
    for field in absent where field.value != 0 {
      throw error(.feature, at: field.offset, expected: "no \(field.name)", found: "\(field.value)")
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

  static func error(_ check: ErofsError.Check, at field: Int, expected: String, found: String) -> ErofsError {
    ErofsError(check, offset: offset + UInt64(field), expected: expected, found: found)
  }

  static func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
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
  let xattrPrefixes: UInt8

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
    xattrPrefixes = try bytes.u8(at: 91)
  }
}
