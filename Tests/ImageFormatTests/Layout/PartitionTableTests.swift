import Base
import Verity
import ImageFormat
import Linux
import TestSupport
import Testing

/// Partition tables, with sfdisk as the one who writes them.
@Suite struct PartitionTableTests {
  /// A disk of 2 MiB.
  ///
  /// - Parameter sectorSize: with another one than 512 it is set up as a loop device meanwhile, as root.
  static func disk(_ lines: [String], sectorSize: Int = 512) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    try directory.write("disk", [UInt8](repeating: 0, count: 2 << 20))
    try directory.write("script", (["label: gpt"] + lines).joined(separator: "\n") + "\n")
    var device = directory.file("disk")
    if sectorSize != 512 {
      let shown = try Tools.run("losetup", "--find", "--show", "--sector-size=\(sectorSize)", device)
      device = String(shown.prefix { !$0.isNewline })
    }
    defer { if sectorSize != 512 { _ = try? Tools.run("losetup", "--detach", device) } }
    let result = try Subprocess.run(
      ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", device], input: directory.file("script"))
    try #require(result.status == 0, "\(result.text)")
    return try directory.read("disk")
  }

  static let image = [
    "start=64, size=16, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=00112233-4455-6677-8899-AABBCCDDEEFF, "
      + "attrs=\"GUID:60\"",
    "start=80, size=8, type=2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5, uuid=FFEEDDCC-BBAA-9988-7766-554433221100",
  ]

  static let sectorSizes = ProcessIdentity.current().uid == 0 ? [512, 4096] : [512]

  @Test(arguments: sectorSizes)
  func readsWhatSfdiskWrites(sectorSize: Int) throws {
    let bytes = try Self.disk(Self.image, sectorSize: sectorSize)
    let table = try #require(try PartitionTable.read(from: ArraySource(bytes)))
    let size = UInt64(sectorSize)
    #expect(table.sectorSize == size && table.partitions.count == 2)
    let disk = try DiscoverableImage(table)
    #expect(disk.data.range == 64 * size..<80 * size)
    #expect(disk.data.uuid.description == "00112233-4455-6677-8899-aabbccddeeff")
    #expect(disk.data.attributes == DiscoverablePartition.readOnlyBit)
    #expect(disk.verity.range == 80 * size..<88 * size)
    #expect(disk.signatures.isEmpty)
    let rootHash = try #require(
      Digest(.sha256, bytes: disk.data.uuid.bytes + disk.verity.uuid.bytes))
    try disk.requireUUIDs(of: rootHash)
    let other = try #require(Digest(.sha256, bytes: disk.verity.uuid.bytes + disk.data.uuid.bytes))
    #expect(throws: LayoutError.self) { try disk.requireUUIDs(of: other) }
  }

  /// Every byte of the tables that are written for new disks is sfdisk's.
  @Test func writesWhatSfdiskWrites() throws {
    let type = VolumeUUID(Array(0x10..<0x20))
    let size = 2 << 20 as UInt64
    for (names, attributes) in [(["root-x86-64", "root-x86-64-verity"], DiscoverablePartition.readOnlyBit), ([], 0)] {
      let partitions = names.enumerated().map { index, name in
        let start = UInt64(1 << 20 + index << 16)
        return NewPartitionTable.Partition(
          name: name, type: type, uuid: VolumeUUID([UInt8](repeating: UInt8(index + 1), count: 16)),
          range: start..<start + 1 << 15, attributes: attributes)
      }
      let table = NewPartitionTable(uuid: VolumeUUID(Array(0..<16)), partitions, byteCount: size)
      var lines = ["label-id: \(VolumeUUID(Array(0..<16)))", "unit: sectors", "first-lba: 34"]
      lines += partitions.map {
        "start=\($0.range.lowerBound / 512), size=\($0.range.count / 512), type=\($0.type), uuid=\($0.uuid), "
          + "name=\"\($0.name)\", attrs=\"GUID:60\""
      }
      let disk = try Self.disk(lines)
      #expect(Array(disk.prefix(table.head.count)) == table.head)
      #expect(Array(disk.suffix(table.tail.count)) == table.tail)
      #expect(UInt64(table.tail.count) == NewPartitionTable.tailByteCount)
    }
  }

  @Test func findsNoTableWhereThereIsNone() throws {
    for count in [0, 511, 512, 1024, 4096, 8192, 1 << 20] {
      #expect(try PartitionTable.read(from: ArraySource([UInt8](repeating: 0, count: count))) == nil)
    }
  }

  /// Every byte of header and entries is under a checksum: no change of one goes unnoticed.
  @Test func noticesEveryChangedByte() throws {
    let bytes = try Self.disk(Self.image)
    for offset in Array(512..<604) + Array(1024..<1024 + 384) {
      var changed = bytes
      changed[offset] ^= 1
      // Without its signature it is no table at all; otherwise it is a damaged one.
      let found: PartitionTable?
      do throws(LayoutError) { found = try PartitionTable.read(from: ArraySource(changed)) } catch { continue }
      #expect(found == nil && offset < 520, "byte \(offset)")
    }
  }

  /// Of a file that is cut or longer, or whose end was written to, the first copy of the table alone would not tell.
  @Test(arguments: sectorSizes)
  func secondCopyIsHeldAgainstTheFirst(sectorSize: Int) throws {
    let bytes = try Self.disk(Self.image, sectorSize: sectorSize)
    func fault(_ bytes: [UInt8]) throws -> LayoutError? {
      try #require(try PartitionTable.read(from: ArraySource(bytes))).secondCopyFault
    }
    #expect(try fault(bytes) == nil)
    for count in [1, 511, 512, sectorSize, 16384, 1 << 20] {
      #expect(try fault(bytes.dropLast(count)) != nil, "\(count) bytes less")
      #expect(try fault(bytes + [UInt8](repeating: 0, count: count)) != nil, "\(count) bytes more")
    }
    // The header, and the entries before it: as sfdisk lays them out, 128 entries of 128 bytes.
    let header = bytes.count - sectorSize
    let entries = header - 16384
    for offset in Array(header..<header + 92) + Array(entries..<entries + 384) + [header - 1] {
      var changed = bytes
      changed[offset] ^= 1
      #expect(try fault(changed) != nil, "byte \(offset)")
    }
    // A copy that is sound by itself and says something else.
    var other = bytes
    other[entries + 56] ^= 1
    other.storeLittleEndian(CRC32.checksum(Array(other[entries..<header])), at: header + 88)
    other.storeLittleEndian(UInt32(0), at: header + 16)
    other.storeLittleEndian(CRC32.checksum(Array(other[header..<header + 92])), at: header + 16)
    #expect(try fault(other) != nil)
    // Entries that lie elsewhere, with every checksum right.
    for sector: UInt64 in [0, 2, 70, UInt64(bytes.count / sectorSize), .max] {
      var moved = bytes
      moved.storeLittleEndian(sector, at: header + 72)
      moved.storeLittleEndian(UInt32(0), at: header + 16)
      moved.storeLittleEndian(CRC32.checksum(Array(moved[header..<header + 92])), at: header + 16)
      #expect(try fault(moved) != nil, "sector \(sector)")
    }
  }

  /// Fields that no checksum refuses, because whoever changes them computes it anew.
  static let strangeFields: [(Int, UInt64)] = [
    (24, 2), (72, 1), (72, .max), (72, .max / 512), (80, 0x1_0000_0001), (80, 0x80_0001_0000), (80, 0x64_0000_0080),
    (80, 0x2000_0000_0080), (40, 70), (48, 70),
  ]

  @Test(arguments: strangeFields)
  func refusesFieldsThatLead(offset: Int, value: UInt64) throws {
    var bytes = try Self.disk(Self.image)
    bytes.storeLittleEndian(value, at: 512 + offset)
    bytes.storeLittleEndian(UInt32(0), at: 512 + 16)
    bytes.storeLittleEndian(CRC32.checksum(Array(bytes[512..<604])), at: 512 + 16)
    #expect(throws: LayoutError.self) { _ = try PartitionTable.read(from: ArraySource(bytes)) }
  }

  @Test func refusesPartitionsThatOverlapOrLieOutside() throws {
    let bytes = try Self.disk(Self.image)
    for (first, last): (UInt64, UInt64) in [(70, 90), (64, 64), (5000, 6000), (90, 80), (0, 1), (90, .max)] {
      var changed = bytes
      changed.storeLittleEndian(first, at: 1024 + 128 + 32)
      changed.storeLittleEndian(last, at: 1024 + 128 + 40)
      changed.storeLittleEndian(CRC32.checksum(Array(changed[1024..<1024 + 128 * 128])), at: 512 + 88)
      changed.storeLittleEndian(UInt32(0), at: 512 + 16)
      changed.storeLittleEndian(CRC32.checksum(Array(changed[512..<604])), at: 512 + 16)
      #expect(throws: LayoutError.self, "\(first) to \(last)") {
        _ = try PartitionTable.read(from: ArraySource(changed))
      }
    }
  }

  @Test func wantsExactlyTheParts() throws {
    for lines in [
      [Self.image[0]], [Self.image[1]], [],
      Self.image + ["start=96, size=8, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"],
    ] {
      let table = try #require(try PartitionTable.read(from: ArraySource(try Self.disk(lines))))
      #expect(throws: LayoutError.self) { _ = try DiscoverableImage(table) }
    }
  }
}

@Suite struct SignatureRecordTests {
  @Test func comesBack() throws {
    let rootHash = try #require(Digest(.sha256, bytes: Array(0..<32)))
    let record = SignatureRecord(rootHash: rootHash, signature: [1, 2, 3], certificateFingerprint: rootHash)
    #expect(record.partition.count == 4096)
    #expect(try SignatureRecord(parsing: record.partition) == record)
  }

  @Test(arguments: [
    "", "{}", "[]", #"{"rootHash":"00","signature":"AAAA"}"#,
    #"{"rootHash":"\#(String(repeating: "AB", count: 32))","signature":"AAAA"}"#,
    #"{"rootHash":"\#(String(repeating: "ab", count: 32))","signature":"A"}"#,
    #"{"rootHash":"\#(String(repeating: "ab", count: 32))","signature":""}"#,
    #"{"rootHash":"\#(String(repeating: "ab", count: 32))","signature":"AAAA"}"# + "\0x",
  ])
  func refusesWhatIsNone(text: String) {
    #expect(throws: LayoutError.self) { _ = try SignatureRecord(parsing: Array(text.utf8)) }
  }
}
