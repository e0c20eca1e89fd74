public import Base
public import Verity

/// A GUID partition table (UEFI specification, section 5.3), read from bytes that nobody has vouched for.
///
/// It says where to look, and nothing more: what is found there is proven against the root hash like any other bytes.
/// Only the primary table counts, as for the kernel when it is sound; the second copy at the disk's end has to say the
/// same, see ``PartitionTable/secondCopyFault``. No partition may lie outside the disk or overlap another, so that one
/// byte has one meaning.
public struct PartitionTable: Equatable, Sendable {
  /// One partition.
  public struct Partition: Equatable, Sendable {
    /// What it is for; see ``PartitionTypes``.
    public let type: VolumeUUID
    /// Its own UUID.
    public let uuid: VolumeUUID
    /// Where it lies, in bytes.
    public let range: Range<UInt64>
    /// Bits 48 to 63 are the type's own; 60 is read-only in the Discoverable Partitions Specification.
    public let attributes: UInt64
  }

  /// Bytes of a sector: 512 or 4096.
  public let sectorSize: UInt64
  /// Those in use, in the table's order.
  public let partitions: [Partition]
  /// What is wrong with the second copy of the table; nil when it is where it has to be and says the same.
  ///
  /// An image file that was cut short or has something behind it shows here. On a device it proves nothing: an image that
  /// was written to a larger one keeps its second copy where the image ended.
  public let secondCopyFault: LayoutError?

  static let signature = Array("EFI PART".utf8)
  /// The specification's smallest table has 128; nobody makes larger ones.
  private static let maximumEntryCount: UInt32 = 1024

  /// Reads the table of a disk.
  ///
  /// - Returns: nil when there is none at byte 512 or 4096.
  /// - Throws: ``LayoutError/partitionTable(_:expected:found:)`` for one that is not sound.
  public static func read(from disk: borrowing some ByteSource & ~Copyable) throws(LayoutError) -> PartitionTable? {
    // The second sector of both sizes, with one read where the file goes as far.
    let reach = min(disk.byteCount, 4096 + 512)
    guard reach >= 2 * 512 else { return nil }
    let head = try bytes(of: disk, at: 512, count: Int(reach - 512))
    for sectorSize: UInt64 in [512, 4096] where disk.byteCount >= 2 * sectorSize {
      let header = head[Int(sectorSize) - 512..<Int(sectorSize)]
      if header.prefix(8).elementsEqual(signature) {
        try requireProtectiveMBR(disk)
        return try read(Array(header), sectorSize: sectorSize, from: disk)
      }
    }
    return nil
  }

  private static func read(
    _ header: [UInt8], sectorSize: UInt64, from disk: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> PartitionTable {
    let fields: HeaderFields
    do throws(ByteError) { fields = try HeaderFields(header.rawSpan) } catch { throw Self.damaged(error.description) }
    guard fields.revision == 0x1_0000, (92...512).contains(fields.headerSize) else {
      throw .partitionTable(
        "header", expected: "revision 1.0 and 92 to 512 bytes",
        found: "revision 0x\(String(fields.revision, radix: 16)) and \(fields.headerSize) bytes")
    }
    var summed = Array(header.prefix(Int(fields.headerSize)))
    summed.replaceSubrange(16..<20, with: [0, 0, 0, 0])
    try require(CRC32.checksum(summed), is: fields.headerChecksum, of: "header")
    guard fields.currentSector == 1, fields.entrySize >= 128, fields.entrySize <= 4096,
      fields.entrySize.nonzeroBitCount == 1, fields.entryCount <= maximumEntryCount
    else {
      throw .partitionTable(
        "header", expected: "at sector 1, at most \(maximumEntryCount) entries of 128 to 4096 bytes",
        found: "at sector \(fields.currentSector), \(fields.entryCount) entries of \(fields.entrySize) bytes")
    }
    let (start, overflow) = fields.entriesSector.multipliedReportingOverflow(by: sectorSize)
    guard !overflow, fields.entriesSector >= 2 else {
      throw .partitionTable("entries", expected: "at sector 2 or later", found: "at sector \(fields.entriesSector)")
    }
    let entries = try bytes(of: disk, at: start, count: Int(fields.entryCount) * Int(fields.entrySize))
    try require(CRC32.checksum(entries), is: fields.entriesChecksum, of: "entries")
    var partitions: [Partition] = []
    for index in 0..<Int(fields.entryCount) {
      let entry: EntryFields
      do throws(ByteError) {
        entry = try EntryFields(entries.rawSpan, at: index * Int(fields.entrySize))
      } catch {
        throw Self.damaged(error.description)
      }
      guard entry.type.contains(where: { $0 != 0 }) else { continue }
      partitions.append(try entry.partition(number: index + 1, fields, sectorSize: sectorSize, disk: disk.byteCount))
    }
    try requireDisjoint(partitions)
    return PartitionTable(
      sectorSize: sectorSize, partitions: partitions,
      secondCopyFault: secondCopyFault(of: header, fields, entries: entries, sectorSize: sectorSize, on: disk))
  }

  private static func require(_ sum: UInt32, is stated: UInt32, of part: String) throws(LayoutError) {
    guard sum == stated else {
      throw .partitionTable(
        part, expected: "CRC-32 0x\(String(stated, radix: 16))", found: "CRC-32 0x\(String(sum, radix: 16))")
    }
  }

  /// Without it the disk has no such table for the kernel and for libblkid, whatever lies in its second sector: one of the four
  /// entries of the MBR has type 0xEE and begins at sector 1.
  private static func requireProtectiveMBR(_ disk: borrowing some ByteSource & ~Copyable) throws(LayoutError) {
    let sector = try bytes(of: disk, at: 0, count: 512)
    let isProtective = stride(from: 446, to: 510, by: 16).contains { entry in
      sector[entry + 4] == 0xee && sector[entry + 8..<entry + 12].elementsEqual([1, 0, 0, 0])
    }
    guard isProtective, sector[510] == 0x55, sector[511] == 0xaa else {
      throw .partitionTable("protective MBR", expected: "an entry of type 0xEE at sector 1", found: "none")
    }
  }

  private static func requireDisjoint(_ partitions: [Partition]) throws(LayoutError) {
    let sorted = partitions.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.range.overlaps(second.range) {
      throw .partitionTable(
        "partitions", expected: "none that overlap", found: "bytes \(first.range) and \(second.range)")
    }
  }

  static func damaged(_ reason: String) -> LayoutError {
    .partitionTable("table", expected: "a whole one", found: reason)
  }

  static func bytes(
    of disk: borrowing some ByteSource & ~Copyable, at offset: UInt64, count: Int
  ) throws(LayoutError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    do throws(ByteSourceError) {
      var span = bytes.mutableSpan
      var view = unsafe span.mutableBytes
      try disk.read(at: offset, into: &view)
    } catch {
      throw .partitionTable("table", expected: "\(count) bytes at byte \(offset)", found: "\(error)")
    }
    return bytes
  }
}

/// The header's fields that are used, at the offsets of the UEFI specification's table 5.5.
struct HeaderFields {
  let revision: UInt32
  let headerSize: UInt32
  let headerChecksum: UInt32
  let currentSector: UInt64
  let otherSector: UInt64
  let firstUsableSector: UInt64
  let lastUsableSector: UInt64
  let entriesSector: UInt64
  let entryCount: UInt32
  let entrySize: UInt32
  let entriesChecksum: UInt32

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    revision = try bytes.u32(at: 8)
    headerSize = try bytes.u32(at: 12)
    headerChecksum = try bytes.u32(at: 16)
    currentSector = try bytes.u64(at: 24)
    otherSector = try bytes.u64(at: 32)
    firstUsableSector = try bytes.u64(at: 40)
    lastUsableSector = try bytes.u64(at: 48)
    entriesSector = try bytes.u64(at: 72)
    entryCount = try bytes.u32(at: 80)
    entrySize = try bytes.u32(at: 84)
    entriesChecksum = try bytes.u32(at: 88)
  }
}

/// An entry's fields, at the offsets of the UEFI specification's table 5.6.
private struct EntryFields {
  let type: [UInt8]
  let uuid: [UInt8]
  let firstSector: UInt64
  let lastSector: UInt64
  let attributes: UInt64

  init(_ bytes: borrowing RawSpan, at offset: Int) throws(ByteError) {
    type = try bytes.slice(at: offset, count: 16).copyBytes()
    uuid = try bytes.slice(at: offset + 16, count: 16).copyBytes()
    firstSector = try bytes.u64(at: offset + 32)
    lastSector = try bytes.u64(at: offset + 40)
    attributes = try bytes.u64(at: offset + 48)
  }

  func partition(
    number: Int, _ header: HeaderFields, sectorSize: UInt64, disk: UInt64
  ) throws(LayoutError) -> PartitionTable.Partition {
    guard firstSector >= header.firstUsableSector, firstSector <= lastSector, lastSector <= header.lastUsableSector,
      lastSector < disk / sectorSize
    else {
      throw .partitionTable(
        "partition \(number)",
        expected: "sectors within \(header.firstUsableSector) to \(header.lastUsableSector), in \(disk) bytes",
        found: "sectors \(firstSector) to \(lastSector)")
    }
    return PartitionTable.Partition(
      type: VolumeUUID(guid: type), uuid: VolumeUUID(guid: uuid),
      range: firstSector * sectorSize..<(lastSector + 1) * sectorSize, attributes: attributes)
  }
}

extension VolumeUUID {
  /// The UUID of a GUID as partition tables store it: the first three groups are little-endian numbers.
  ///
  /// - Parameter bytes: 16.
  init(guid bytes: [UInt8]) {
    let order = [3, 2, 1, 0, 5, 4, 7, 6] + Array(8..<16)
    self.init(order.map { $0 < bytes.count ? bytes[$0] : 0 })
  }
}
