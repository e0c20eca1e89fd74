public import Base
public import Verity

/// The partitions of a discoverable disk image that matter here (UAPI.2, Discoverable Partitions Specification): a root
/// file system, its hash tree, and the signature of its root hash.
public enum DiscoverablePartition {
  /// The three types of one processor architecture.
  public struct Types: Equatable, Sendable {
    public let root: VolumeUUID
    public let verity: VolumeUUID
    public let signature: VolumeUUID

    private init(_ root: String, _ verity: String, _ signature: String) {
      func uuid(_ text: String) -> VolumeUUID { VolumeUUID(Hex.decode(text.filter { $0 != "-" }) ?? []) }
      self.root = uuid(root)
      self.verity = uuid(verity)
      self.signature = uuid(signature)
    }

    public static let amd64 = Types(
      "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
      "41092b05-9fc8-4523-994f-2def0408b176")
    public static let arm64 = Types(
      "b921b045-1df0-41c3-af44-4c6f280d3fae", "df3300ce-d69f-4c92-978c-9bfb0f38d820",
      "6db69de6-29f4-4758-a7a5-962190f00ce3")

    /// Those that an image is looked through for.
    public static let known = [amd64, arm64]

    /// What systemd calls the architecture of ``native`` in partitions' names.
    public static var nativeName: String { native == arm64 ? "arm64" : "x86-64" }

    /// Those of the machine this is compiled for.
    public static var native: Types {
      #if arch(arm64)
      arm64
      #else
      amd64
      #endif
    }
  }

  /// The attribute bit that says "read-only".
  public static let readOnlyBit: UInt64 = 1 << 60

  /// The UUIDs of the data and the tree partition that belong to a root hash: its first and its last 16 bytes.
  public static func uuids(of rootHash: Digest) -> (root: VolumeUUID, verity: VolumeUUID) {
    (VolumeUUID(Array(rootHash.bytes.prefix(16))), VolumeUUID(Array(rootHash.bytes.suffix(16))))
  }
}

/// Where data, tree and signature lie in a disk with a partition table.
public struct DiscoverableImage: Equatable, Sendable {
  public let data: PartitionTable.Partition
  public let verity: PartitionTable.Partition
  /// Nil when the root hash is not signed.
  public let signature: PartitionTable.Partition?
  /// What is wrong with the table's second copy; see ``PartitionTable/secondCopyFault``.
  public let secondCopyFault: LayoutError?

  /// Finds them.
  ///
  /// - Throws: ``LayoutError/partitionTable(_:expected:found:)`` unless there is exactly one root partition of a known
  ///   architecture, exactly one hash tree for it, and at most one signature.
  public init(_ table: PartitionTable) throws(LayoutError) {
    let roots = DiscoverablePartition.Types.known.flatMap { types in
      table.partitions.filter { $0.type == types.root }.map { (types, $0) }
    }
    guard let (types, root) = roots.first, roots.count == 1 else {
      throw .partitionTable("partitions", expected: "one root partition", found: "\(roots.count)")
    }
    data = root
    secondCopyFault = table.secondCopyFault
    verity = try Self.only("root-verity", table.partitions.filter { $0.type == types.verity })
    let signatures = table.partitions.filter { $0.type == types.signature }
    signature = signatures.isEmpty ? nil : try Self.only("root-verity-sig", signatures)
  }

  /// Checks that the partitions are named after the root hash, as everyone who looks for it by its UUIDs expects.
  ///
  /// - Throws: ``LayoutError/partitionTable(_:expected:found:)``.
  public func requireUUIDs(of rootHash: Digest) throws(LayoutError) {
    let expected = DiscoverablePartition.uuids(of: rootHash)
    guard data.uuid == expected.root, verity.uuid == expected.verity else {
      throw .partitionTable(
        "partition UUIDs", expected: "\(expected.root) and \(expected.verity), the halves of the root hash",
        found: "\(data.uuid) and \(verity.uuid)")
    }
  }

  private static func only(
    _ name: String, _ found: [PartitionTable.Partition]
  ) throws(LayoutError) -> PartitionTable.Partition {
    guard let partition = found.first, found.count == 1 else {
      throw .partitionTable("partitions", expected: "one \(name) partition", found: "\(found.count)")
    }
    return partition
  }
}
