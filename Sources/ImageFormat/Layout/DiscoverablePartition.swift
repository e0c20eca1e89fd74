public import Base
public import Verity

/// What partitions of a discoverable disk image have in common (UAPI.2, Discoverable Partitions Specification). Their types are
/// ``PartitionTypes``.
public enum DiscoverablePartition {
  /// The attribute bit that says "read-only".
  public static let readOnlyBit: UInt64 = 1 << 60

  /// The UUIDs of the data and the tree partition that belong to a root hash: its first and its last 16 bytes.
  public static func uuids(of rootHash: Digest) -> (data: VolumeUUID, verity: VolumeUUID) {
    (VolumeUUID(Array(rootHash.bytes.prefix(16))), VolumeUUID(Array(rootHash.bytes.suffix(16))))
  }
}

/// Where data, tree and signature lie in a disk with a partition table: one slot of it.
///
/// A disk may have several: a root and a usr file system, those of several architectures, and of each the two that an update
/// alternates between. Which one is meant is a question to the root hash, whose halves are the slot's UUIDs. All other
/// partitions are passed over.
public struct DiscoverableImage: Equatable, Sendable {
  public let types: PartitionTypes
  public let data: PartitionTable.Partition
  public let verity: PartitionTable.Partition
  /// The partitions that may hold its signature: those of its types. The root hash in each says which slot it is of.
  public let signatures: [PartitionTable.Partition]
  /// Whether no other slot is of these types, so that what lies in the signature's partition has to be of this one.
  public let isAlone: Bool
  /// What is wrong with the table's second copy; see ``PartitionTable/secondCopyFault``.
  public let secondCopyFault: LayoutError?

  /// Partitions of the same types.
  private struct Group {
    let types: PartitionTypes
    let data: [PartitionTable.Partition]
    let verity: [PartitionTable.Partition]
  }

  /// Finds the slot of a root hash.
  ///
  /// - Parameter rootHash: needed where there are several slots. A single one is taken whatever its UUIDs are, since
  ///   ``requireUUIDs(of:)`` is asked about it anyway.
  /// - Throws: ``LayoutError/noVerityPartition(found:)``, ``LayoutError/severalSlots(_:)``,
  ///   ``LayoutError/noSlot(rootHash:slots:)``, or ``LayoutError/partitionTable(_:expected:found:)`` when two slots have the
  ///   UUIDs of the root hash.
  public init(_ table: PartitionTable, rootHash: Digest? = nil) throws(LayoutError) {
    let groups = PartitionTypes.all.map { types in
      Group(
        types: types, data: table.partitions.filter { $0.type == types.data },
        verity: table.partitions.filter { $0.type == types.verity })
    }.filter { !$0.data.isEmpty && !$0.verity.isEmpty }
    guard let first = groups.first else { throw .noVerityPartition(found: Self.kinds(table)) }
    if groups.count == 1, first.data.count == 1, first.verity.count == 1 {
      self.init(table, first.types, first.data[0], first.verity[0], isAlone: true)
      return
    }
    let slots = groups.flatMap { group in group.data.map { "\(group.types.name) \($0.uuid)" } }
    guard let rootHash else { throw .severalSlots(slots) }
    let uuids = DiscoverablePartition.uuids(of: rootHash)
    let matching = groups.map { group in
      Group(
        types: group.types, data: group.data.filter { $0.uuid == uuids.data },
        verity: group.verity.filter { $0.uuid == uuids.verity })
    }.filter { !$0.data.isEmpty && !$0.verity.isEmpty }
    guard let slot = matching.first else { throw .noSlot(rootHash: "\(rootHash)", slots: slots) }
    guard matching.count == 1, slot.data.count == 1, slot.verity.count == 1 else {
      throw .partitionTable(
        "partition UUIDs", expected: "one slot with the halves of root hash \(rootHash)",
        found: "\(matching.map(\.data.count).reduce(0, +)) partitions \(uuids.data) and "
          + "\(matching.map(\.verity.count).reduce(0, +)) partitions \(uuids.verity)")
    }
    let isAlone = groups.contains { $0.types == slot.types && $0.data.count == 1 }
    self.init(table, slot.types, slot.data[0], slot.verity[0], isAlone: isAlone)
  }

  private init(
    _ table: PartitionTable, _ types: PartitionTypes, _ data: PartitionTable.Partition,
    _ verity: PartitionTable.Partition, isAlone: Bool
  ) {
    self.types = types
    self.data = data
    self.verity = verity
    self.isAlone = isAlone
    signatures = table.partitions.filter { $0.type == types.signature }
    secondCopyFault = table.secondCopyFault
  }

  /// Checks that the partitions are named after the root hash, as everyone who looks for it by its UUIDs expects.
  ///
  /// - Throws: ``LayoutError/partitionTable(_:expected:found:)``.
  public func requireUUIDs(of rootHash: Digest) throws(LayoutError) {
    let expected = DiscoverablePartition.uuids(of: rootHash)
    guard data.uuid == expected.data, verity.uuid == expected.verity else {
      throw .partitionTable(
        "partition UUIDs", expected: "\(expected.data) and \(expected.verity), the halves of the root hash",
        found: "\(data.uuid) and \(verity.uuid)")
    }
  }

  /// What a disk without a slot has, in words.
  private static func kinds(_ table: PartitionTable) -> String {
    let names = table.partitions.map { partition in
      for types in PartitionTypes.all {
        if partition.type == types.data { return types.name }
        if partition.type == types.verity { return "\(types.name)-verity" }
        if partition.type == types.signature { return "\(types.name)-verity-sig" }
      }
      return "type \(partition.type)"
    }
    return names.isEmpty ? "no partition" : names.joined(separator: ", ")
  }
}
