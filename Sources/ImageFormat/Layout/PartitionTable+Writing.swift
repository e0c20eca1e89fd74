internal import Base
public import Verity

/// A new GUID partition table with sectors of 512 bytes, byte for byte as sfdisk (libfdisk) writes it: a protective MBR, the
/// header and 128 entries at the disk's beginning, and the two in the other order at its end (UEFI specification, section 5).
public struct NewPartitionTable: Sendable {
  /// One partition.
  public struct Partition: Sendable {
    /// At most 36 UTF-16 code units.
    public let name: String
    public let type: VolumeUUID
    public let uuid: VolumeUUID
    /// In bytes, at multiples of a sector.
    public let range: Range<UInt64>
    public let attributes: UInt64

    public init(name: String, type: VolumeUUID, uuid: VolumeUUID, range: Range<UInt64>, attributes: UInt64) {
      self.name = name
      self.type = type
      self.uuid = uuid
      self.range = range
      self.attributes = attributes
    }
  }

  public static let sectorSize: UInt64 = 512
  private static let entryCount = 128
  private static let entrySize = 128
  private static let headerSize = 92
  private static let entrySectors = UInt64(entryCount * entrySize) / sectorSize
  /// Bytes of the second copy, at the disk's end.
  public static let tailByteCount = (entrySectors + 1) * sectorSize

  /// MBR, header and entries: what the disk begins with.
  public let head: [UInt8]
  /// Entries and header: what it ends with.
  public let tail: [UInt8]

  /// - Parameters:
  ///   - uuid: the disk's own.
  ///   - partitions: at most 128, none of which overlaps another or the tables.
  ///   - byteCount: of the whole disk, at a multiple of a sector.
  public init(uuid: VolumeUUID, _ partitions: [Partition], byteCount: UInt64) {
    let lastSector = byteCount / Self.sectorSize - 1
    var entries = partitions.prefix(Self.entryCount).flatMap { Self.entry($0) }
    entries += [UInt8](repeating: 0, count: Self.entryCount * Self.entrySize - entries.count)
    func header(at sector: UInt64, other: UInt64, entriesAt: UInt64) -> [UInt8] {
      Self.header(
        uuid, at: sector, other: other, entriesAt: entriesAt, lastUsable: lastSector - Self.entrySectors - 1,
        entriesChecksum: CRC32.checksum(entries))
    }
    head = Self.protectiveMBR(lastSector: lastSector) + header(at: 1, other: lastSector, entriesAt: 2) + entries
    tail = entries + header(at: lastSector, other: 1, entriesAt: lastSector - Self.entrySectors)
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  private static func sector(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: Int(sectorSize) - bytes.count)
  }

  /// One partition of type 0xEE over the whole disk, so that what knows no GUID tables sees no free space.
  private static func protectiveMBR(lastSector: UInt64) -> [UInt8] {
    let entry = [0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff] + littleEndian(1 as UInt32)
    let whole = entry + littleEndian(UInt32(clamping: lastSector))
    return [UInt8](repeating: 0, count: 446) + whole + [UInt8](repeating: 0, count: 48) + [0x55, 0xaa]
  }

  private static func header(
    _ uuid: VolumeUUID, at sector: UInt64, other: UInt64, entriesAt: UInt64, lastUsable: UInt64, entriesChecksum: UInt32
  ) -> [UInt8] {
    let start = PartitionTable.signature + littleEndian(0x1_0000 as UInt32) + littleEndian(UInt32(headerSize))
    var rest: [UInt8] = littleEndian(0 as UInt32)
    for number in [sector, other, 2 + entrySectors, lastUsable] { rest += littleEndian(number) }
    rest += uuid.guid + littleEndian(entriesAt) + littleEndian(UInt32(entryCount)) + littleEndian(UInt32(entrySize))
    rest += littleEndian(entriesChecksum)
    let checksum = CRC32.checksum(start + littleEndian(0 as UInt32) + rest)
    return self.sector(start + littleEndian(checksum) + rest)
  }

  private static func entry(_ partition: Partition) -> [UInt8] {
    let (first, end) = (partition.range.lowerBound / sectorSize, partition.range.upperBound / sectorSize)
    let name = partition.name.utf16.prefix(36).flatMap { littleEndian($0) }
    let fields = partition.type.guid + partition.uuid.guid + littleEndian(first) + littleEndian(end - 1)
    return fields + littleEndian(partition.attributes) + name + [UInt8](repeating: 0, count: 72 - name.count)
  }
}

extension VolumeUUID {
  /// The bytes as partition tables store them, see ``init(guid:)``.
  fileprivate var guid: [UInt8] { VolumeUUID(guid: bytes).bytes }
}
