import Base
import Linux
import TestSupport
import Testing
import Verity

/// Where the parts of an image are is said in the same words to every command that takes an image.
@Suite struct ImagePlaceTests {
  /// A file system, and its tree in a file of another name at a place of its own.
  static func parts() throws -> (TemporaryDirectory, rootHash: String, options: [String]) {
    let directory = try LayoutTests.sources()
    let built = try BuildImageTests.build(directory, ["--layout=sidecar"], output: "built.raw")
    try #require(built.status == 0, "\(built.errors)")
    try directory.write("blob", try directory.read("built.raw"))
    let tree = try directory.read("built.verity")
    try directory.write("tree", [UInt8](repeating: 0x77, count: 8192) + tree)
    let hash = String(decoding: try directory.read("built.roothash"), as: UTF8.self)
    return (directory, hash, ["--verity-data", "tree", "--hash-offset", "8192"])
  }

  @Test func everyCommandTakesThem() throws {
    let (directory, hash, place) = try Self.parts()
    try directory.write(
      "p.pol",
      Array(
        "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash) action=ALLOW\n"
          .utf8))
    let named = place + ["--root-hash", hash]
    for command in [
      ["verify", "blob"] + named, ["inspect", "blob"] + place, ["inspect", "blob"] + named,
      ["load", "--dry-run", "--image", "blob", "--object", "a.bpf.o", "--policy", "p.pol"] + named,
      ["provenance", "--image", "blob", "--object", "a.bpf.o"] + named,
      ["policy", "explain", "p.pol", "--image", "blob", "--object", "a.bpf.o"] + place,
      ["self-test", "--image", "blob"] + named,
      ["sign", "root-hash", "blob"] + named + LayoutTests.signer,
    ] {
      let result = try VerityBPFCommand.run(command, in: directory.path)
      #expect(result.status == 0, "\(command): \(result.errors)")
    }
    try directory.write("blob.roothash", Array(hash.utf8))
    let generated = try VerityBPFCommand.run(["policy", "generate", "blob"] + place, in: directory.path)
    #expect(generated.status == 0 && generated.output.contains(hash), "\(generated.errors)")
    // What the signature is may be said too.
    try Tools.run("mv", directory.file("blob.roothash.p7s"), directory.file("signature"))
    let signed = try VerityBPFCommand.run(
      ["verify", "blob", "--root-hash-signature", "signature", "--certificate", "cert.pem"] + place, in: directory.path)
    #expect(signed.status == 0, "\(signed.errors)")
    let missing = try VerityBPFCommand.run(
      ["verify", "blob", "--root-hash-signature", "none"] + place, in: directory.path)
    #expect(missing.status == 1, "\(missing.errors)")
  }

  @Test func withoutAnImageTheyMeanNothing() throws {
    for command in [
      ["load", "--object", "x.o", "--verity-data", "v"], ["provenance", "--fd", "0", "--hash-offset", "8"],
      ["self-test", "--root-hash-signature", "s"],
    ] {
      let result = try VerityBPFCommand.run(command)
      #expect(result.status == 64 && result.errors.contains("--verity-data"), "\(command): \(result.errors)")
    }
  }

  /// Without a root hash every command says the same.
  @Test func aMissingRootHashIsExplained() throws {
    let (directory, _, place) = try Self.parts()
    for command in [
      ["verify", "blob"] + place, ["sign", "root-hash", "blob"] + place + LayoutTests.signer,
      ["mount", "blob", directory.path] + place, ["policy", "generate", "blob"] + place,
    ] {
      let result = try VerityBPFCommand.run(command, in: directory.path)
      #expect(result.status == 1 && result.errors.contains("no root hash to check"), "\(command): \(result.errors)")
      #expect(result.errors.contains("--root-hash"), "\(command): \(result.errors)")
    }
  }

  /// systemd looks for the root hash in an attribute first.
  @Test func rootHashMayBeAnAttribute() throws {
    let (directory, hash, place) = try Self.parts()
    for name in ["user.verity.roothash", "user.verity.usrhash"] {
      let path = directory.file("blob")
      let script = "import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())"
      guard (try? Subprocess.run(["python3", "-c", script, path, name, hash]))?.status == 0 else {
        return print("skipped: no extended attributes here, or no python3")
      }
      let result = try VerityBPFCommand.run(["verify", "blob"] + place, in: directory.path)
      #expect(result.status == 0, "\(result.errors)")
      try Tools.run("python3", "-c", "import os, sys; os.removexattr(sys.argv[1], sys.argv[2])", path, name)
    }
  }

  /// The size shown is that of the file which was named, in every layout.
  @Test(arguments: ["appended", "sidecar", "ddi"])
  func sizeIsTheFiles(layout: String) throws {
    let directory = try BuildImageTests.sources()
    try #require(try BuildImageTests.build(directory, ["--layout=\(layout)"]).status == 0)
    let size = try directory.read("out.raw").count
    let inspected = try VerityBPFCommand.run(["inspect", "out.raw"], in: directory.path)
    #expect(inspected.output.hasPrefix("image    out.raw  \(size) bytes\n"), "\(inspected.output)")
    let proven = try VerityBPFCommand.run(
      ["provenance", "--image", "out.raw", "--object", "a.bpf.o", "--json"], in: directory.path)
    #expect(try proven.json()["image"]?["size"] == .integer(Int64(size)), "\(proven.output)")
  }

  /// Objects in images that others made are found by their first bytes, under any name.
  @Test func describesObjectsInForeignImages() throws {
    let directory = try BuildImageTests.sources()
    try Directory.create(directory.file("tree"))
    try directory.write("tree/counter.elf", try directory.read("progs/a.bpf.o"))
    try directory.write("tree/a.bpf.o", Array("no object".utf8))
    try Tools.run("mkfs.erofs", "-T0", directory.file("made"), directory.file("tree"))
    try directory.write("foreign.raw", try MemoryImage.build(data: try directory.read("made")).bytes)
    let text = try VerityBPFCommand.run(["inspect", "foreign.raw"], in: directory.path)
    #expect(text.status == 0 && text.output.contains("object   counter.elf"), "\(text.errors)")
    #expect(!text.output.contains("object   a.bpf.o"))
    let result = try VerityBPFCommand.run(["inspect", "foreign.raw", "--json"], in: directory.path)
    guard case .array(let objects) = try result.json()["objects"] else { return #expect(Bool(false)) }
    #expect(objects.count == 1 && objects[0]["path"] == "counter.elf")
  }

  /// A system extension as systemd-sysext wants it.
  @Test(arguments: [[], ["--layout=ddi", "--partition=usr"]])
  func buildsASystemExtension(options: [String]) throws {
    let directory = try BuildImageTests.sources()
    let built = try BuildImageTests.build(directory, ["--sysext=tools"] + options, output: "tools.raw")
    #expect(built.status == 0 && built.errors.isEmpty, "\(built.errors)")
    let lib = options.isEmpty ? "usr/lib" : "lib"
    let inspected = try VerityBPFCommand.run(["inspect", "tools.raw"], in: directory.path)
    #expect(inspected.output.contains("object   \(lib)/tools/a.bpf.o"), "\(inspected.output)")
    #expect(inspected.output.contains("file     \(lib)/extension-release.d/extension-release.tools"))
    let verified = try VerityBPFCommand.run(["verify", "tools.raw"], in: directory.path)
    #expect(verified.status == 0, "\(verified.errors)")
    let named = try BuildImageTests.build(directory, ["--sysext=zz"], output: "other.raw")
    #expect(named.status == 0 && named.errors.contains("warning[build.sysext-name]"), "\(named.errors)")
    #expect(try BuildImageTests.build(directory, ["--sysext=extension-release.d"]).status == 64)
    guard options.isEmpty else { return }
    try Tools.run("fsck.erofs", "--extract=\(directory.file("x"))", directory.file("tools.raw"))
    let release = try directory.read("x/usr/lib/extension-release.d/extension-release.tools")
    #expect(String(decoding: release, as: UTF8.self) == "ID=_any\n")
  }
}
