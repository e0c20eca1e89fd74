import Base
import Linux
import TestSupport
import Testing

/// `verity-bpf verify` as a user runs it: verdict, exit code, and where the damage is.
@Suite struct VerifyCommandTests {
  let directory: TemporaryDirectory
  let image: ForeignImage
  let rootHash: String

  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("root"))
    try directory.write("root/object", [UInt8](repeating: 0x5a, count: 3_000_000))
    image = try ForeignImage.build(directory.file("root"), at: directory.file("image.raw"), salt: "00ff")
    rootHash = image.rootHash.trimmed
    try directory.write("image.roothash", rootHash)
  }

  private func verify(_ arguments: String...) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["verify", "--json"] + arguments)
  }

  /// Where no second thread is to be had, one does all of the work. (A user of its own: the limit counts all of a user's.)
  @Test(.enabled(if: Tools.isRoot, "changing to another user needs root"))
  func needsNoSecondThread() throws {
    try Tools.run("chmod", "-R", "a+rX", directory.path)
    let binary = directory.file("verity-bpf")
    try Tools.run("install", "-m", "755", VerityBPFCommand.path, binary)
    let limited = ["setpriv", "--reuid=612340", "--regid=612340", "--clear-groups", "prlimit", "--nproc=1"]
    let result = try Subprocess.run(
      ["strace", "-f", "-e", "trace=clone3"] + limited + [binary, "verify", directory.file("image.raw")])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("EAGAIN"), "no thread was asked for: \(result.text)")
  }

  /// A copy of the image with some bytes changed.
  private func damaged(_ change: (inout [UInt8]) -> Void) throws -> String {
    var bytes = try directory.read("image.raw")
    change(&bytes)
    return try directory.write("damaged.raw", bytes)
  }

  private func expect(
    _ result: VerityBPFCommand.Result, exit: Int, verdict: JSONValue?, code: String?,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let answer = try result.json()
    #expect(result.status == exit, "\(result.errors)", sourceLocation: location)
    #expect(answer["schema"] == "verity-bpf/verify/1", sourceLocation: location)
    #expect(answer["verdict"] == verdict, sourceLocation: location)
    #expect(answer["error"]?["code"] == code.map { .string($0) }, sourceLocation: location)
    if code != nil { #expect(answer["error"]?["next"] != nil, sourceLocation: location) }
  }

  @Test func provesASoundImage() throws {
    let result = try verify(image.path)
    try expect(result, exit: 0, verdict: "ok", code: nil)
    let answer = try result.json()
    #expect(answer["root_hash"] == .string("sha256:\(rootHash)"))
    #expect(answer["salt"] == "00ff" && answer["file_system"] == "erofs")
    // veritysetup gave it a random UUID, and nobody said which it should be.
    #expect(answer["manifest"] == false)
    #expect(answer["proven_blocks"] == answer["data_blocks"] && answer["corrupt"] == .array([]))
    #expect(result.errors.isEmpty)

    let text = try VerityBPFCommand.run(["verify", image.path, "--root-hash", rootHash.uppercased()])
    #expect(text.status == 0 && text.output.contains(rootHash) && text.output.contains("speed"))
    try directory.write("other", rootHash + "\n")
    try expect(try verify(image.path, "--root-hash-file", directory.file("other")), exit: 0, verdict: "ok", code: nil)
    try expect(try verify(image.path, "--hash-offset", "\(image.dataSize)"), exit: 0, verdict: "ok", code: nil)
  }

  /// A compressed file system of others is one like any other.
  @Test func readsACompressedFileSystem() throws {
    let image = try ForeignImage.build(
      directory.file("root"), at: directory.file("lz4.raw"), options: ["-zlz4", "-Elegacy-compress"])
    let result = try verify(image.path, "--root-hash", image.rootHash.trimmed)
    try expect(result, exit: 0, verdict: "ok", code: nil)
    #expect(try result.json()["file_system"] == "erofs" && result.json()["files_not_read"] == nil)
  }

  /// What this build does not read is neither damaged nor suspicious: its blocks are checked all the same.
  @Test func saysWhatItDoesNotRead() throws {
    let image = try ForeignImage.build(directory.file("root"), at: directory.file("48bit.raw")) { path in
      try Tools.patch(path, at: 1104, with: 0x80)
    }
    let arguments = [image.path, "--root-hash", image.rootHash.trimmed]
    let result = try VerityBPFCommand.run(["verify", "--json"] + arguments)
    try expect(result, exit: 6, verdict: "unread", code: nil)
    let answer = try result.json()
    #expect(answer["proven_blocks"] == answer["data_blocks"])
    #expect(answer["file_system_not_read"]?["code"] == "erofs.unsupported-feature")
    let text = try VerityBPFCommand.run(["verify"] + arguments)
    #expect(text.status == 6 && text.output.contains("data blocks are proven; file system not read here: 48BIT"))
    #expect(!text.output.contains("MALFORMED") && !text.errors.contains("do not trust"))
  }

  /// One file in a layout that is not known: it is named, and the others are read.
  @Test func namesTheFilesThatItDoesNotRead() throws {
    try directory.write("root/other", [UInt8](repeating: 7, count: 100))
    let image = try ForeignImage.build(directory.file("root"), at: directory.file("layout.raw")) { path in
      // The inode of `other`: its size is found behind its format, mode and number of links.
      let bytes = try directory.read(path)
      let place = stride(from: 1152, to: bytes.count - 32, by: 32).first {
        bytes[$0 + 8] == 100 && bytes[$0 + 9] == 0 && bytes[$0 + 10] == 0 && bytes[$0 + 5] >> 4 == 8
      }
      try Tools.patch(path, at: UInt64(try #require(place)), with: 0xa)
      // Its checksum would have to be another; without the feature there is none.
      try Tools.patch(path, at: 1032, with: bytes[1032] & 0xfe)
    }
    let result = try verify(image.path, "--root-hash", image.rootHash.trimmed)
    try expect(result, exit: 6, verdict: "unread", code: nil)
    let answer = try result.json()
    #expect(answer["files_not_read"] == 1)
    let text = try VerityBPFCommand.run(["verify", image.path, "--root-hash", image.rootHash.trimmed])
    #expect(text.status == 6 && text.output.contains("/other: "))
  }

  @Test func provesASeparateTree() throws {
    let data = try directory.write("data", [UInt8](repeating: 3, count: 40 * 4096))
    let report = try Tools.run("veritysetup", "format", data, directory.file("tree"))
    let hash = try #require(
      report.split(separator: "\n").first { $0.hasPrefix("Root hash:") }?.split(separator: "\t").last)
    let arguments = [data, "--verity-data", directory.file("tree"), "--root-hash", String(hash).trimmed]
    let result = try VerityBPFCommand.run(["verify", "--json"] + arguments)
    try expect(result, exit: 0, verdict: "ok", code: nil)
    #expect(try result.json()["file_system"] == .null)
  }

  @Test func placesDamage() throws {
    let inData = try verify(damaged { $0[5 * 4096 + 9] ^= 1 }, "--root-hash", rootHash)
    try expect(inData, exit: 4, verdict: "corrupt", code: "verity.data-mismatch")
    #expect(try inData.json()["corrupt"] == [["area": "data", "block": 5, "offset": 20480]])
    #expect(inData.errors.contains("damaged.raw") && inData.errors.contains("byte 20480"))

    // Superblock block, root block, then the leaves.
    let leaf = Int(image.dataSize) + 3 * 4096
    let inTree = try verify(damaged { $0[leaf] ^= 1 }, "--root-hash", rootHash)
    try expect(inTree, exit: 4, verdict: "corrupt", code: "verity.tree-mismatch")
    #expect(
      try inTree.json()["corrupt"] == [["area": "tree", "level": 0, "block": 1, "offset": .integer(Int64(leaf))]])
    #expect(try inTree.json()["unproven_blocks"] == 128)

    let wrong = try verify(image.path, "--root-hash", String(repeating: "0", count: 64))
    try expect(wrong, exit: 4, verdict: "corrupt", code: "verity.root-mismatch")
    #expect(try wrong.json()["error"]?["found"] == .string("sha256:\(rootHash)"))
  }

  @Test func refusesWhatIsMalformed() throws {
    let offset = Int(image.dataSize)
    for (code, change) in [
      ("verity.truncated", { _ = $0.removeLast() }), ("verity.superblock", { $0[offset + 12] = 2 }),
      ("verity.no-superblock", { $0[offset] = 0 }), ("layout.no-file-system", { $0[1024] ^= 1 }),
      ("verity.no-superblock", { $0[1024 + 36] ^= 1 }),
    ] as [(String, (inout [UInt8]) -> Void)] {
      try expect(try verify(damaged(change), "--root-hash", rootHash), exit: 4, verdict: "malformed", code: code)
    }
  }

  /// What the format allows and this build does not take, and what does not come about by itself, are words of their own.
  @Test func tellsThreeVerdictsApart() throws {
    let offset = Int(image.dataSize)
    func name(_ text: String) -> (inout [UInt8]) -> Void {
      let field = Array(text.utf8) + [UInt8](repeating: 0, count: 32 - text.utf8.count)
      return { $0.replaceSubrange(offset + 32..<offset + 64, with: field) }
    }
    for change in [
      { $0[offset + 12] = 0 }, name("sha1"), name("sha224"), name("blake2b-256"), name("SHA256"),
      { ($0[offset + 66], $0[offset + 65]) = (2, 0) }, { ($0[offset + 70], $0[offset + 69]) = (8, 0) },
    ] as [(inout [UInt8]) -> Void] {
      let result = try verify(damaged(change), "--root-hash", rootHash)
      try expect(result, exit: 6, verdict: "unsupported", code: "verity.unsupported")
      #expect(!result.errors.contains("do not trust"), "\(result.errors)")
    }
    for (code, change) in [
      ("verity.trailing-bytes", { $0.append(0) }), ("verity.gap-not-zero", { $0[offset + 512] = 1 }),
    ] as [(String, (inout [UInt8]) -> Void)] {
      let result = try verify(damaged(change), "--root-hash", rootHash)
      try expect(result, exit: 4, verdict: "suspicious", code: code)
      #expect(result.errors.contains("do not trust"), "\(result.errors)")
    }
  }

  /// The root hash covers neither the UUID nor what else the superblock says; the manifest settles it.
  @Test func holdsTheSuperblockAgainstTheManifest() throws {
    let sources = try BuildImageTests.sources()
    try #require(try BuildImageTests.build(sources).status == 0)
    let sound = try VerityBPFCommand.run(["verify", "--json", sources.file("out.raw")])
    try expect(sound, exit: 0, verdict: "ok", code: nil)
    guard case .integer(let superblock) = try sound.json()["hash_offset"] else {
      Issue.record("no hash_offset")
      return
    }
    #expect(try sound.json()["manifest"] == true)
    var bytes = try sources.read("out.raw")
    bytes[Int(superblock) + 16] ^= 1
    try sources.write("out.raw", bytes)
    let changed = try VerityBPFCommand.run(["verify", "--json", sources.file("out.raw")])
    try expect(changed, exit: 4, verdict: "malformed", code: "manifest.uuid")
  }

  /// A tree that is right over a file system that is not: the boot area could hold digests of another image.
  @Test func refusesAFullBootArea() throws {
    var bytes = Array(try directory.read("image.raw").prefix(Int(image.dataSize)))
    bytes[7] = 1
    let path = try directory.write("boot.raw", bytes)
    let report = try Tools.run("veritysetup", "format", path, path, "--hash-offset=\(image.dataSize)")
    let hash = try #require(
      report.split(separator: "\n").first { $0.hasPrefix("Root hash:") }?.split(separator: "\t").last)
    let result = try verify(path, "--root-hash", String(hash).trimmed)
    try expect(result, exit: 4, verdict: "suspicious", code: "erofs.boot-area")
  }

  /// Parity behind the tree is not read here, which says nothing against it; other bytes are another matter.
  @Test func errorCorrectionIsNotSupported() throws {
    let path = try directory.write("fec.raw", try directory.read("image.raw"))
    let end = try OwnedFD.open(path, .readOnly).status().size
    let report = try Tools.run(
      "veritysetup", "format", path, path, "--data-blocks=\(image.dataSize / 4096)", "--hash-offset=\(image.dataSize)",
      "--fec-device=\(path)", "--fec-offset=\(end)")
    let hash = try #require(
      report.split(separator: "\n").first { $0.hasPrefix("Root hash:") }?.split(separator: "\t").last)
    let root = ["--root-hash", String(hash).trimmed]
    try expect(try verify(path, root[0], root[1]), exit: 6, verdict: "unsupported", code: "verity.error-correction")
    // As the message says.
    let named = ["verify", "--json", path, "--verity-data", path, "--hash-offset", "\(image.dataSize)"]
    try expect(try VerityBPFCommand.run(named + root), exit: 0, verdict: "ok", code: nil)
    try Tools.patch(path, at: end, with: 0x5a)
    try expect(try verify(path, root[0], root[1]), exit: 4, verdict: "suspicious", code: "verity.trailing-bytes")
  }

  @Test func tellsUsageFromWhatCannotBeRead() throws {
    try expect(try verify(directory.file("nothing.raw")), exit: 1, verdict: nil, code: "system.not-found")
    try directory.write("lonely.raw", try directory.read("image.raw"))
    let lonely = try verify(directory.file("lonely.raw"))
    try expect(lonely, exit: 1, verdict: nil, code: "system.not-found")
    #expect(lonely.errors.contains("--root-hash"))
    for arguments in [
      ["--root-hash", "12"], ["--root-hash", rootHash, "--root-hash-file", "x"], ["--hash-offset", "-1"], ["--nothing"],
    ] {
      #expect(try VerityBPFCommand.run(["verify", image.path] + arguments).status == 64)
    }
    try expect(try verify(directory.path), exit: 1, verdict: nil, code: "image.not-an-image")
    try Tools.run("mkfifo", directory.file("fifo"))
    try expect(try verify(directory.file("fifo")), exit: 1, verdict: nil, code: "image.not-an-image")
    try directory.write("image.roothash", "nonsense")
    try expect(try verify(image.path), exit: 4, verdict: "malformed", code: "layout.root-hash")
  }
}
