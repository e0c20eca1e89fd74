import Base
import ImageFormat
import Testing
import Verity

/// Which partitions of a disk belong to a root hash.
@Suite struct SlotTests {
  static func hash(_ byte: UInt8) throws -> Digest {
    try #require(Digest(.sha256, bytes: (0..<32).map { byte &+ UInt8($0) }))
  }

  /// A table of slots, each with data and tree of a root hash, and of other partitions.
  static func table(
    _ slots: [(PartitionTypes, Digest)], others: [VolumeUUID] = [], withoutTree: Bool = false
  ) throws -> PartitionTable {
    var types: [(VolumeUUID, VolumeUUID)] = []
    for (index, type) in others.enumerated() { types.append((type, VolumeUUID([0xee, UInt8(index)]))) }
    for (slot, hash) in slots {
      let uuids = DiscoverablePartition.uuids(of: hash)
      types.append((slot.data, uuids.data))
      if !withoutTree { types.append((slot.verity, uuids.verity)) }
    }
    let partitions = types.enumerated().map { index, type in
      let start = UInt64(1 << 20 + index << 12)
      return NewPartitionTable.Partition(
        name: "", type: type.0, uuid: type.1, range: start..<start + 4096, attributes: 0)
    }
    let table = NewPartitionTable(uuid: VolumeUUID([1]), partitions, byteCount: 2 << 20)
    var disk = [UInt8](repeating: 0, count: 2 << 20)
    disk.replaceSubrange(0..<table.head.count, with: table.head)
    disk.replaceSubrange(disk.count - table.tail.count..<disk.count, with: table.tail)
    return try #require(try PartitionTable.read(from: ArraySource(disk)))
  }

  static let esp = VolumeUUID(Hex.decode("c12a7328f81f11d2ba4b00a0c93ec93b") ?? [])

  @Test(arguments: PartitionTypes.all)
  func everyArchitectureIsKnown(types: PartitionTypes) throws {
    let hash = try Self.hash(7)
    let disk = try DiscoverableImage(try Self.table([(types, hash)], others: [Self.esp]))
    #expect(disk.types == types && disk.isAlone)
    try disk.requireUUIDs(of: hash)
  }

  /// Each type is of one use and architecture; blkid and systemd name two of them.
  @Test func typesAreDistinct() {
    let all = PartitionTypes.all.flatMap { [$0.data, $0.verity, $0.signature] }
    #expect(all.count == 21 * 6 && Set(all).count == all.count && all.allSatisfy { $0.bytes.contains { $0 != 0 } })
    #expect(PartitionTypes.all.contains { $0.name == "usr-x86-64" } && PartitionTypes.native(.usr).use == .usr)
  }

  @Test func rootHashChoosesTheSlot() throws {
    let (root, usr) = (PartitionTypes.native(.root), PartitionTypes.native(.usr))
    let hashes = try (0..<4).map { try Self.hash(UInt8($0 * 40)) }
    let table = try Self.table([(root, hashes[0]), (root, hashes[1]), (usr, hashes[2])], others: [Self.esp])
    for (hash, types) in zip(hashes, [root, root, usr]) {
      let disk = try DiscoverableImage(table, rootHash: hash)
      #expect(disk.types == types && disk.isAlone == (types == usr))
      try disk.requireUUIDs(of: hash)
    }
    let none = #expect(throws: LayoutError.self) { _ = try DiscoverableImage(table) }
    guard case .severalSlots(let slots)? = none else { return #expect(Bool(false), "\(String(describing: none))") }
    #expect(slots.count == 3 && slots[2].hasPrefix("usr-"))
    let other = #expect(throws: LayoutError.self) { _ = try DiscoverableImage(table, rootHash: hashes[3]) }
    #expect(other?.diagnostic.code == "layout.no-slot" && other?.diagnostic.found?.contains(slots[0]) == true)
  }

  @Test func refusesTwoSlotsWithTheSameUUIDs() throws {
    let (root, usr) = (PartitionTypes.native(.root), PartitionTypes.native(.usr))
    let hash = try Self.hash(3)
    for slots in [[(root, hash), (root, hash)], [(root, hash), (usr, hash)]] {
      let error = #expect(throws: LayoutError.self) {
        _ = try DiscoverableImage(try Self.table(slots), rootHash: hash)
      }
      #expect(error?.diagnostic.code == "layout.partition-table", "\(String(describing: error))")
    }
  }

  @Test func saysWhatADiskWithoutVerityHas() throws {
    let root = PartitionTypes.native(.root)
    for table in [
      try Self.table([], others: [Self.esp]), try Self.table([(root, try Self.hash(1))], withoutTree: true),
    ] {
      let error = #expect(throws: LayoutError.self) { _ = try DiscoverableImage(table) }
      #expect(error?.diagnostic.code == "layout.no-verity-partition" && error?.diagnostic.category == .unsupported)
    }
  }

  /// The kernel and libblkid see no table without it.
  @Test(arguments: [450, 454, 510, 511])
  func wantsAProtectiveMBR(offset: Int) throws {
    let table = NewPartitionTable(uuid: VolumeUUID([1]), [], byteCount: 1 << 20)
    var disk = table.head + [UInt8](repeating: 0, count: 1 << 20 - table.head.count - table.tail.count) + table.tail
    #expect(try PartitionTable.read(from: ArraySource(disk)) != nil)
    disk[offset] ^= 1
    #expect(throws: LayoutError.self) { _ = try PartitionTable.read(from: ArraySource(disk)) }
  }
}
