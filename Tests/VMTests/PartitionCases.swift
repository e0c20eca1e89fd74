import Base
import Linux
import Provenance

/// A disk image behind a loop device, of which a partition is mounted.
enum PartitionCases {
  static let suite = Suite(
    name: "partition",
    cases: [
      // A partition of the type for /usr is as good as one for the root.
      Case("of-a-disk-image-proves") { try prove("ddi", rootHashFile: "ddi.roothash") },
      Case("of-a-usr-disk-image-proves") { try prove("usr", rootHashFile: "usr.usrhash") },
      // The bytes under the mount are not those of the file any more.
      Case("over-a-file-that-was-written-to") {
        try withPartition(of: "ddi") { mount, _ in
          let path = "\(mount)/xdp_counter.bpf.o"
          let bytes = try Machine.read(path)
          let at = try WitnessCases.unwrap(offset(of: bytes.prefix(4096), in: image), "the object in the image")
          let file = try OwnedFD.open(image, .readWrite)
          let other = [UInt8]("NOT ELF".utf8)
          try file.writeAll(other.span.bytes, at: UInt64(at))
          try WitnessCases.expectRefusal(nil, "an object that was written over") {
            _ = try WitnessCases.examine(path)
          }
        }
      },
    ])

  /// Loads an object from the partition, by a rule that our own proof satisfies.
  private static func prove(_ disk: String, rootHashFile: String) throws {
    try withPartition(of: disk) { mount, name in
      let path = "\(mount)/xdp_counter.bpf.o"
      let evidence = try WitnessCases.examine(path)
      let rootHash = try Machine.text("/images/\(rootHashFile)").trimmed
      try expectEqual(evidence.verity?.rootHash.hex, rootHash, "root hash")
      try expectEqual(evidence.loop?.name, name, "the device's name")
      try expect((evidence.loop?.offset ?? 0) > 0, "the partition does not begin behind the table")
      let directory = try Machine.temporaryDirectory()
      try Machine.write(
        "\(directory)/p.pol",
        Array(
          """
          policy_name=partition policy_version=1.0.0
          DEFAULT action=DENY
          op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) x_witness=USERSPACE action=ALLOW

          """.utf8))
      let result = try Command.run(
        "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
      try Command.expectStatus(0, result)
    }
  }

  private static let image = "/tmp/partition.raw"

  /// Puts a copy of the disk image under a loop device with its partitions, and mounts the one with a file system.
  private static func withPartition(
    of disk: String, _ body: (_ mount: String, _ name: String) throws -> Void
  ) throws {
    try Machine.write(image, Machine.read("/images/\(disk).raw"))
    let loop = try LoopDevices.attachReadOnly(OwnedFD.open(image, .readOnly), scansPartitions: true)
    defer { try? LoopDevices.detach(loop) }
    let device = String(loop.dropFirst("/dev/".count))
    let place = try Machine.temporaryDirectory()
    for name in try Directory.names("/sys/block/\(device)").sorted() where name.hasPrefix("\(device)p") {
      guard (try? Mount.mount("/dev/\(name)", on: place, type: "erofs", .readOnly)) != nil else { continue }
      defer { try? Mount.unmount(place) }
      return try body(place, name)
    }
    throw Failure(description: "no partition of \(device) holds a file system")
  }

  /// Where a block stands in a file; files of an EROFS image begin at blocks.
  private static func offset(of block: ArraySlice<UInt8>, in path: String) throws -> Int? {
    let bytes = try Machine.read(path)
    return stride(from: 0, to: bytes.count - block.count, by: 4096).first { bytes[$0...].starts(with: block) }
  }
}
