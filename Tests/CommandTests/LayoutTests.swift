import Base
import Linux
import TestSupport
import Testing

/// The layouts of an image and the signature of its root hash, with veritysetup, openssl, sfdisk and systemd-dissect
/// as witnesses.
@Suite struct LayoutTests {
  /// A directory with objects and a signer.
  static func sources() throws -> TemporaryDirectory {
    let directory = try BuildImageTests.sources()
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file("key.pem"), "-out",
      directory.file("cert.pem"), "-subj", "/CN=signer", "-days", "2")
    return directory
  }

  static let signer = ["--certificate=cert.pem", "--private-key=key.pem"]

  static func build(_ directory: TemporaryDirectory, _ layout: String) throws -> JSONValue {
    let result = try BuildImageTests.build(
      directory, ["--layout=\(layout)", "--json"] + signer, output: "\(layout).raw")
    try #require(result.status == 0, "\(result.errors)")
    return try result.json()
  }

  @Test func everyLayoutHasTheSameRootHashAndVerifies() throws {
    let directory = try Self.sources()
    var rootHashes: Set<String> = []
    for layout in ["appended", "sidecar", "ddi"] {
      let built = try Self.build(directory, layout)
      #expect(built["layout"] == .string(layout))
      rootHashes.insert(String(decoding: try directory.read("\(layout).roothash"), as: UTF8.self))
      let verified = try VerityBPFCommand.run(["verify", "--json", "\(layout).raw"], in: directory.path)
      #expect(try verified.status == 0 && verified.json()["layout"] == .string(layout), "\(verified.errors)")
      let inspected = try VerityBPFCommand.run(["inspect", "--json", "\(layout).raw"], in: directory.path)
      #expect(inspected.status == 0, "\(inspected.errors)")
      // The kernel's form: openssl checks the digits of the root hash against the detached message.
      try Tools.run(
        "openssl", "smime", "-verify", "-binary", "-inform", "der", "-noverify", "-in",
        directory.file("\(layout).roothash.p7s"), "-content", directory.file("\(layout).roothash"), "-certfile",
        directory.file("cert.pem"), "-out", directory.file("content"))
      #expect(try directory.read("content") == directory.read("\(layout).roothash"))
      let loaded = try VerityBPFCommand.run(
        ["provenance", "--image", "\(layout).raw", "--object", "a.bpf.o", "--json"], in: directory.path)
      #expect(loaded.status == 0, "\(loaded.errors)")
    }
    #expect(rootHashes.count == 1)
  }

  @Test func othersOpenTheSidecar() throws {
    let directory = try Self.sources()
    _ = try Self.build(directory, "sidecar")
    let rootHash = String(decoding: try directory.read("sidecar.roothash"), as: UTF8.self)
    try Tools.run(
      "veritysetup", "verify", directory.file("sidecar.raw"), directory.file("sidecar.verity"), rootHash)
    // Without its tree, or with another one, it proves nothing.
    try Tools.run("mv", directory.file("sidecar.verity"), directory.file("gone"))
    let alone = try VerityBPFCommand.run(["verify", "sidecar.raw"], in: directory.path)
    #expect(alone.status == 4, "\(alone.errors)")
    let named = try VerityBPFCommand.run(["verify", "sidecar.raw", "--verity-data=gone"], in: directory.path)
    #expect(named.status == 0, "\(named.errors)")
  }

  @Test func othersOpenTheDisk() throws {
    let directory = try Self.sources()
    _ = try Self.build(directory, "ddi")
    let rootHash = String(decoding: try directory.read("ddi.roothash"), as: UTF8.self)
    let dump = try JSONValue.parse(Array(try Tools.run("sfdisk", "--json", directory.file("ddi.raw")).utf8))
    guard case .array(let partitions) = dump["partitiontable"]?["partitions"], partitions.count == 3 else {
      Issue.record("\(dump)")
      return
    }
    // The partitions cut out are a veritysetup data and hash device.
    for (name, partition) in zip(["data", "hash", "signature"], partitions) {
      guard case .integer(let start) = partition["start"], case .integer(let size) = partition["size"] else { continue }
      try Tools.run(
        "dd", "if=\(directory.file("ddi.raw"))", "of=\(directory.file(name))", "bs=512", "skip=\(start)",
        "count=\(size)", "status=none")
    }
    try Tools.run("veritysetup", "verify", directory.file("data"), directory.file("hash"), rootHash)
    let record = try directory.read("signature")
    #expect(String(decoding: record, as: UTF8.self).contains(rootHash) && record.count.isMultiple(of: 4096))
    // Equal input gives an equal disk (an RSA signature is a function of key and content).
    let first = try directory.read("ddi.raw")
    _ = try Self.build(directory, "ddi")
    #expect(try directory.read("ddi.raw") == first)
  }

  static let canDissect =
    ProcessIdentity.current().uid == 0 && (try? Subprocess.run(["systemd-dissect", "--version"])) != nil

  @Test(.enabled(if: canDissect, "needs root and systemd-dissect"))
  func systemdSeesASignedRoot() throws {
    let directory = try Self.sources()
    _ = try Self.build(directory, "ddi")
    let seen = try Tools.run("systemd-dissect", "--no-pager", "--json=short", directory.file("ddi.raw"))
    #expect(seen.contains("signed") && seen.contains("root-verity-sig"), "\(seen)")
  }

  /// What a disk may not be: each is refused with its own code, by `verify` and by `provenance` alike.
  @Test(arguments: [
    ("a flipped byte of the table", 1024 + 8, "layout.partition-table"),
    ("a flipped byte of the data", 1 << 20 | 5000, "verity."),
  ])
  func refusesAnotherDisk(name: String, offset: Int, code: String) throws {
    let directory = try Self.sources()
    _ = try Self.build(directory, "ddi")
    var disk = try directory.read("ddi.raw")
    disk[offset] ^= 1
    try directory.write("ddi.raw", disk)
    for command in [["verify", "ddi.raw"], ["provenance", "--image", "ddi.raw", "--object", "a.bpf.o"]] {
      let result = try VerityBPFCommand.run(command, in: directory.path)
      #expect(result.status == 4 && result.errors.contains("error[\(code)"), "\(command): \(result.errors)")
    }
  }

  /// What sfdisk calls a corrupt table, and what lies behind the table's end, is part of no image.
  @Test func refusesACutOrLongerDisk() throws {
    let directory = try Self.sources()
    _ = try Self.build(directory, "ddi")
    let disk = try directory.read("ddi.raw")
    var changed = disk
    changed[disk.count - 512 + 60] ^= 1
    for (name, bytes) in [
      ("cut", disk.dropLast(20_000)), ("cut by a block", disk.dropLast(4096)),
      ("longer", disk + [UInt8](repeating: 0x5a, count: 1 << 20)), ("longer by zeros", disk + [0]),
      ("changed", changed),
    ] {
      try directory.write("ddi.raw", bytes)
      for command in [
        ["verify", "ddi.raw"], ["provenance", "--image", "ddi.raw", "--object", "a.bpf.o"], ["inspect", "ddi.raw"],
      ] {
        let result = try VerityBPFCommand.run(command, in: directory.path)
        #expect(result.status == 4, "\(name): \(command)")
        #expect(result.errors.contains("error[layout.second-table]"), "\(name): \(command): \(result.errors)")
      }
    }
  }

  /// An image that was written to a larger device is whole; where its table ends is told.
  @Test func takesALargerDevice() throws {
    guard Tools.isRoot else { return print("skipped: loop devices need root") }
    let directory = try Self.sources()
    _ = try Self.build(directory, "ddi")
    for (name, extra) in [("exact", 0), ("larger", 1 << 20)] {
      try directory.write(name, try directory.read("ddi.raw") + [UInt8](repeating: 0, count: extra))
      let device = try Tools.run("losetup", "--find", "--show", "--read-only", directory.file(name)).trimmed
      defer { _ = try? Tools.run("losetup", "--detach", device) }
      let result = try VerityBPFCommand.run(
        ["verify", device, "--root-hash-file", "ddi.roothash"], in: directory.path)
      #expect(result.status == 0, "\(name): \(result.errors)")
      #expect(result.errors.contains("warning[layout.second-table]") == (extra > 0), "\(name): \(result.errors)")
    }
  }

  @Test func refusesAKeyOfAnotherCertificate() throws {
    let directory = try Self.sources()
    try Tools.run(
      "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
      directory.file("other.key"))
    let result = try BuildImageTests.build(directory, ["--certificate=cert.pem", "--private-key=other.key"])
    #expect(result.status == 64 && result.errors.contains("error[signature.key-mismatch]"), "\(result.errors)")
    #expect(try !Directory.names(directory.path).contains { $0.hasPrefix("out") })
  }

  @Test func signsAnImageThatIsBuilt() throws {
    let directory = try Self.sources()
    #expect(try BuildImageTests.build(directory).status == 0)
    let signed = try VerityBPFCommand.run(["sign", "root-hash", "out.raw"] + Self.signer, in: directory.path)
    #expect(signed.status == 0, "\(signed.errors)")
    try Tools.run(
      "openssl", "smime", "-verify", "-binary", "-inform", "der", "-noverify", "-in",
      directory.file("out.roothash.p7s"), "-content", directory.file("out.roothash"), "-certfile",
      directory.file("cert.pem"), "-out", "/dev/null")
    // A damaged image is not signed, and the old signature stays.
    let before = try directory.read("out.roothash.p7s")
    var image = try directory.read("out.raw")
    image[4096] ^= 1
    try directory.write("out.raw", image)
    let refused = try VerityBPFCommand.run(["sign", "root-hash", "out.raw"] + Self.signer, in: directory.path)
    #expect(refused.status == 4 && refused.errors.contains("error[sign.root-hash]"), "\(refused.errors)")
    #expect(try directory.read("out.roothash.p7s") == before)
  }

  @Test func refusesHalfASigner() throws {
    let directory = try Self.sources()
    let half = try BuildImageTests.build(directory, ["--certificate=cert.pem"])
    #expect(half.status == 64 && half.errors.contains("--private-key"), "\(half.errors)")
    let swapped = try BuildImageTests.build(directory, ["--certificate=key.pem", "--private-key=key.pem"])
    #expect(swapped.status == 1 && swapped.errors.contains("error[signature.certificate]"), "\(swapped.errors)")
    #expect(try !Directory.names(directory.path).contains { $0.hasPrefix("out") })
  }
}
