internal import Base

/// The superblock, 96 bytes at the start of the image (`struct squashfs_super_block`, fs/squashfs/squashfs_fs.h).
struct SquashfsSuperblock: Equatable, Sendable {
  /// Bytes it has.
  static let size = 96
  /// What it begins with: `hsqs`.
  static let magic: UInt32 = 0x7371_7368
  /// What a table that is not there has as its place (`SQUASHFS_INVALID_BLK`).
  static let noTable = UInt64.max
  /// Bytes that a block of metadata makes at most (`SQUASHFS_METADATA_SIZE`).
  static let metadataSize = 8192

  /// Inodes, and entries of the export table.
  let inodeCount: UInt32
  /// Bytes a block of a file has: a power of two from 4 KiB to 1 MiB.
  let blockSize: Int
  let fragmentCount: UInt32
  let compression: BlockCompression
  let identifierCount: Int
  /// The reference of the root directory.
  let root: UInt64
  /// Bytes of the file system.
  let byteCount: UInt64
  let identifierTable: UInt64
  let inodeTable: UInt64
  let directoryTable: UInt64
  /// Nil when no file has a fragment.
  let fragmentTable: UInt64?
  /// Where each inode is, by its number; nil when the image was made without (mksquashfs -no-exports).
  let exportTable: UInt64?

  /// Reads the superblock, and refuses what the kernel would refuse (fs/squashfs/super.c, squashfs_fill_super).
  init(_ bytes: borrowing RawSpan) throws(FileSystemError) {
    let raw: RawSuperblock
    do throws(ByteError) {
      raw = try RawSuperblock(bytes)
    } catch {
      throw Self.error(.superblock, at: 0, expected: "\(Self.size) bytes", found: "\(bytes.byteCount) bytes")
    }
    guard raw.magic == Self.magic else {
      throw Self.error(.superblock, at: 0, expected: "magic `hsqs`", found: String(raw.magic, radix: 16))
    }
    guard raw.major == 4, raw.minor == 0 else {
      throw Self.error(.feature, at: 28, expected: "version 4.0", found: "version \(raw.major).\(raw.minor)")
    }
    guard 12...20 ~= raw.blockBits, raw.blockSize == 1 << UInt32(raw.blockBits) else {
      throw Self.error(
        .superblock, at: 12, expected: "a block size of 2^12 to 2^20 bytes, said twice",
        found: "\(raw.blockSize) and 2^\(raw.blockBits)")
    }
    compression = try Self.compression(raw.compression)
    guard raw.inodeCount > 0, raw.identifierCount > 0 else {
      throw Self.error(
        .superblock, at: 4, expected: "inodes and identifiers",
        found: "\(raw.inodeCount) inodes, \(raw.identifierCount) identifiers")
    }
    inodeCount = raw.inodeCount
    blockSize = Int(raw.blockSize)
    fragmentCount = raw.fragmentCount
    identifierCount = Int(raw.identifierCount)
    root = raw.root
    byteCount = raw.byteCount
    identifierTable = raw.identifierTable
    inodeTable = raw.inodeTable
    directoryTable = raw.directoryTable
    fragmentTable = raw.fragmentCount == 0 || raw.fragmentTable == Self.noTable ? nil : raw.fragmentTable
    exportTable = raw.exportTable == Self.noTable ? nil : raw.exportTable
    try checkOrder()
  }

  /// The tables lie one behind the other, and each within the file system: none is a part of another.
  private func checkOrder() throws(FileSystemError) {
    guard byteCount <= UInt64(Int.max) else {
      throw Self.error(.superblock, at: 40, expected: "less than 2^63 bytes", found: "\(byteCount)")
    }
    var tables: [(name: String, field: Int, start: UInt64)] = [
      ("inodes", 64, inodeTable), ("directories", 72, directoryTable),
    ]
    if let fragmentTable { tables.append(("fragments", 80, fragmentTable)) }
    if let exportTable { tables.append(("exports", 88, exportTable)) }
    tables.append(("identifiers", 48, identifierTable))
    var last = ("the superblock", UInt64(Self.size) - 1)
    for table in tables {
      guard table.start > last.1, table.start < byteCount else {
        throw Self.error(
          .superblock, at: table.field,
          expected: "the table of \(table.name) behind \(last.0) and before byte \(byteCount)",
          found: "byte \(table.start)")
      }
      last = ("that of \(table.name)", table.start)
    }
  }

  /// The numbers of `*_COMPRESSION` in fs/squashfs/squashfs_fs.h.
  private static func compression(_ number: UInt16) throws(FileSystemError) -> BlockCompression {
    if let known = compressions[number] { return known }
    let name = otherCompressions[number] ?? "compression \(number)"
    throw error(.feature, at: 20, expected: "gzip, xz, lz4 or zstd", found: name)
  }

  private static let compressions: [UInt16: BlockCompression] = [1: .zlib, 4: .xz, 5: .lz4, 6: .zstd]
  /// Those that this build does not undo.
  private static let otherCompressions: [UInt16: String] = [2: "lzma", 3: "lzo"]

  /// Where blocks of the directory table can be: up to the first list of another table's blocks.
  var directoryRange: Range<UInt64> {
    directoryTable..<[fragmentTable, exportTable, identifierTable].compactMap { $0 }.reduce(byteCount, min)
  }

  static func error(_ check: FileSystemError.Check, at field: Int, expected: String, found: String) -> FileSystemError {
    FileSystemError(check, offset: UInt64(field), expected: expected, found: found, format: .squashfs)
  }
}

/// The fields as they stand.
private struct RawSuperblock {
  let magic: UInt32
  let inodeCount: UInt32
  let blockSize: UInt32
  let fragmentCount: UInt32
  let compression: UInt16
  let blockBits: UInt16
  let identifierCount: UInt16
  let major: UInt16
  let minor: UInt16
  let root: UInt64
  let byteCount: UInt64
  let identifierTable: UInt64
  let inodeTable: UInt64
  let directoryTable: UInt64
  let fragmentTable: UInt64
  let exportTable: UInt64

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    magic = try bytes.u32(at: 0)
    inodeCount = try bytes.u32(at: 4)
    blockSize = try bytes.u32(at: 12)
    fragmentCount = try bytes.u32(at: 16)
    compression = try bytes.u16(at: 20)
    blockBits = try bytes.u16(at: 22)
    identifierCount = try bytes.u16(at: 26)
    major = try bytes.u16(at: 28)
    minor = try bytes.u16(at: 30)
    root = try bytes.u64(at: 32)
    byteCount = try bytes.u64(at: 40)
    identifierTable = try bytes.u64(at: 48)
    inodeTable = try bytes.u64(at: 64)
    directoryTable = try bytes.u64(at: 72)
    fragmentTable = try bytes.u64(at: 80)
    exportTable = try bytes.u64(at: 88)
  }
}
