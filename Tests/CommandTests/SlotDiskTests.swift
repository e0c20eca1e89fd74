import Base
import ImageFormat
import Linux
import TestSupport
import Testing
import Verity

/// Disks with several slots, a usr partition, and partitions that have nothing to do with an image.
@Suite struct SlotDiskTests {
  /// Images of two different contents, as disks.
  static func disks(_ options: [String] = []) throws -> (TemporaryDirectory, [Disk], [String]) {
    let directory = try LayoutTests.sources()
    var disks: [Disk] = []
    var hashes: [String] = []
    for seed in ["a", "b"] {
      let built = try BuildImageTests.build(
        directory, ["--layout=ddi", "--seed=\(seed)"] + options, output: "\(seed).raw")
      try #require(built.status == 0, "\(built.errors)")
      disks.append(try Disk(try directory.read("\(seed).raw")))
      hashes.append(String(decoding: try directory.read("\(seed).roothash"), as: UTF8.self))
    }
    return (directory, disks, hashes)
  }

  static let esp = Disk.Part(
    type: SlotTypes.esp, uuid: VolumeUUID([9]), bytes: [UInt8](repeating: 0xe5, count: 4096))

  @Test func rootHashChoosesTheSlot() throws {
    let (directory, disks, hashes) = try Self.disks(LayoutTests.signer)
    var disk = disks[0]
    disk.parts = [Self.esp] + disks[0].parts + disks[1].parts
    try directory.write("ab.raw", disk.bytes)
    for (index, hash) in hashes.enumerated() {
      let result = try VerityBPFCommand.run(
        ["verify", "ab.raw", "--json", "--root-hash", hash, "--certificate=cert.pem"], in: directory.path)
      #expect(result.status == 0, "\(result.errors)")
      let place = try result.json()["signature"]?["from"]
      #expect(place == nil || "\(String(describing: place))".contains("\(disks[index].parts[2].uuid)"))
      for command in [
        ["inspect", "ab.raw", "--root-hash", hash],
        ["provenance", "--image", "ab.raw", "--object", "a.bpf.o", "--root-hash", hash],
      ] {
        let result = try VerityBPFCommand.run(command, in: directory.path)
        #expect(result.status == 0, "\(command): \(result.errors)")
      }
      // Stored with the image.
      try directory.write("ab.roothash", Array(hash.utf8))
      let stored = try VerityBPFCommand.run(["verify", "ab.raw"], in: directory.path)
      #expect(stored.status == 0, "\(stored.errors)")
    }
    let none = String(repeating: "0", count: 64)
    let other = try VerityBPFCommand.run(["verify", "ab.raw", "--root-hash", none], in: directory.path)
    #expect(other.status == 4 && other.errors.contains("error[layout.no-slot]"), "\(other.errors)")
    #expect(other.errors.contains("\(disks[1].parts[0].uuid)"), "\(other.errors)")
  }

  @Test func withoutARootHashItIsAskedFor() throws {
    let (directory, disks, _) = try Self.disks()
    var disk = disks[0]
    disk.parts += disks[1].parts
    try directory.write("ab.raw", disk.bytes)
    for command in [["inspect", "ab.raw"], ["provenance", "--image", "ab.raw", "--object", "a.bpf.o"]] {
      let result = try VerityBPFCommand.run(command, in: directory.path)
      #expect(result.status == 64 && result.errors.contains("error[layout.several-slots]"), "\(result.errors)")
      #expect(result.errors.contains("--root-hash"), "\(result.errors)")
    }
    let verified = try VerityBPFCommand.run(["verify", "ab.raw"], in: directory.path)
    #expect(verified.status != 0 && !verified.output.contains("MALFORMED"), "\(verified.errors)")
  }

  /// The only signature on the disk says which slot is meant; a second slot is empty.
  @Test func signatureChoosesTheSlot() throws {
    let (directory, disks, _) = try Self.disks(LayoutTests.signer)
    var disk = disks[0]
    for index in 0..<2 {
      var part = disk.parts[index]
      (part.uuid, part.bytes) = (VolumeUUID([UInt8(index) + 5]), [UInt8](repeating: 0, count: 4096))
      disk.parts.append(part)
    }
    try directory.write("ab.raw", disk.bytes)
    let result = try VerityBPFCommand.run(["verify", "ab.raw", "--certificate=cert.pem"], in: directory.path)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func twoSlotsOfOneRootHashAreRefused() throws {
    let (directory, disks, hashes) = try Self.disks()
    var disk = disks[0]
    disk.parts += disks[0].parts
    try directory.write("ab.raw", disk.bytes)
    let result = try VerityBPFCommand.run(["verify", "ab.raw", "--root-hash", hashes[0]], in: directory.path)
    #expect(result.status == 4 && result.errors.contains("error[layout.partition-table]"), "\(result.errors)")
  }

  @Test func aDiskWithoutVerityIsNotMalformed() throws {
    let (directory, disks, hashes) = try Self.disks()
    var disk = disks[0]
    disk.parts = [Self.esp, disk.parts[0]]
    try directory.write("plain.raw", disk.bytes)
    let result = try VerityBPFCommand.run(
      ["verify", "plain.raw", "--json", "--root-hash", hashes[0]], in: directory.path)
    #expect(result.status == 6 && result.errors.contains("error[layout.no-verity-partition]"), "\(result.errors)")
    #expect(try result.json()["verdict"] == "unsupported")
  }

  @Test func buildsAUsrPartition() throws {
    let directory = try LayoutTests.sources()
    let built = try BuildImageTests.build(
      directory, ["--layout=ddi", "--partition=usr"] + LayoutTests.signer, output: "usr.raw")
    #expect(built.status == 0, "\(built.errors)")
    let disk = try Disk(try directory.read("usr.raw"))
    let types = PartitionTypes.native(.usr)
    #expect(disk.parts.map(\.type) == [types.data, types.verity, types.signature])
    let names = try Directory.names(directory.path)
    #expect(names.contains("usr.usrhash") && names.contains("usr.usrhash.p7s") && !names.contains("usr.roothash"))
    let result = try VerityBPFCommand.run(["verify", "usr.raw", "--certificate=cert.pem"], in: directory.path)
    #expect(result.status == 0, "\(result.errors)")
    if LayoutTests.canDissect {
      let seen = try Tools.run("systemd-dissect", "--no-pager", "--json=short", directory.file("usr.raw"))
      #expect(seen.contains("usr-verity-sig"), "\(seen)")
    }
    let mixed = try BuildImageTests.build(directory, ["--partition=usr"], output: "x.raw")
    #expect(mixed.status == 64 && mixed.errors.contains("--layout ddi"), "\(mixed.errors)")
    // Another kind of image of the same name takes the place of this one, with all that belongs to it.
    let again = try BuildImageTests.build(directory, ["--layout=ddi"], output: "usr.raw")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try !Directory.names(directory.path).contains { $0.hasPrefix("usr.usrhash") })
  }

  static let hasRepart =
    ProcessIdentity.current().uid == 0 && (try? Subprocess.run(["systemd-repart", "--version"])) != nil

  /// A disk that systemd-repart makes of a file system: slots of a fixed size, padded data, and its own sizes of blocks.
  @Test(.enabled(if: hasRepart, "needs root and systemd-repart"), arguments: PartitionTypes.Use.allCases)
  func takesWhatSystemdRepartMakes(use: PartitionTypes.Use) throws {
    let directory = try BuildImageTests.sources()
    try Tools.run("mkfs.erofs", "-T0", directory.file("fs"), directory.file("progs"))
    try Directory.create(directory.file("defs"))
    let name = use.rawValue
    try directory.write(
      "defs/1.conf",
      Array("[Partition]\nType=\(name)\nCopyBlocks=\(directory.file("fs"))\nVerity=data\nVerityMatchKey=x\n".utf8))
    try directory.write(
      "defs/2.conf", Array("[Partition]\nType=\(name)-verity\nVerity=hash\nVerityMatchKey=x\n".utf8))
    let made = try Subprocess.run([
      "systemd-repart", "--empty=create", "--size=auto", "--dry-run=no", "--seed=00000000000000000000000000000001",
      "--definitions=\(directory.file("defs"))", "--json=short", directory.file("made.raw"),
    ])
    try #require(made.status == 0, "\(made.text)")
    let disk = try Disk(try directory.read("made.raw"))
    let hash = Hex.encode(disk.parts[0].uuid.bytes + disk.parts[1].uuid.bytes)
    let result = try VerityBPFCommand.run(
      ["verify", "made.raw", "--json", "--root-hash", hash], in: directory.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json()["file_system"] == "erofs")
  }
}

/// Types of partitions that an image has nothing to do with.
enum SlotTypes {
  static let esp = VolumeUUID(Hex.decode("c12a7328f81f11d2ba4b00a0c93ec93b") ?? [])
}
