import Base
import Linux
import TestSupport
import Testing

/// `verity-bpf self-test` as a user runs it, on images of several makers.
struct SelfTestTests {
  private static func controls(_ answer: JSONValue) -> [String: String] {
    guard case .array(let controls)? = answer["controls"] else { return [:] }
    var verdicts: [String: String] = [:]
    for control in controls {
      if case .string(let id)? = control["id"], case .string(let verdict)? = control["verdict"] {
        verdicts[id] = verdict
      }
    }
    return verdicts
  }

  @Test("Every control holds, with an image of its own")
  func ownImage() throws {
    let result = try VerityBPFCommand.run(["self-test", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let answer = try result.json()
    #expect(answer["verdict"] == "good")
    let verdicts = Self.controls(answer)
    for id in [
      "good", "flipped-data", "flipped-tree", "cut", "stranger", "other-root-hash", "other-root-hash-pinned", "copied",
      "version", "older-image", "policy", "older-policy", "foreign-policy", "signed", "untrusted-signer",
      "signature-moved",
    ] { #expect(verdicts[id] == "held", "\(id)") }
    if Tools.isRoot {
      #expect(verdicts["mounted"] == "held")
      #expect(verdicts["changed-under-mount"] == "held")
    }
  }

  @Test("An image that other programs made is only read, whatever its layout")
  func foreignImage() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = try ForeignImage.build(directory.file("objects"), at: directory.file("foreign.raw"))
    let before = try directory.read("foreign.raw")
    let object = ["--object", "xdp_counter.bpf.o"]
    let result = try VerityBPFCommand.run(["self-test", "--json", "--image", image.path] + object)
    #expect(result.status == 0, "\(result.errors)")
    // It has no manifest, and so no version.
    #expect(Self.controls(try result.json())["older-image"] == "skipped")
    #expect(try directory.read("foreign.raw") == before)

    let unnamed = try VerityBPFCommand.run(["self-test", "--image", image.path])
    #expect(unnamed.status == 64)
    let stranger = try VerityBPFCommand.run(
      ["self-test", "--image", image.path, "--root-hash", String(repeating: "0", count: 64)] + object)
    #expect(stranger.status == 4)
    #expect(stranger.errors.contains("provenance.root-hash"))
  }

  @Test("A disk image and a tree in a file of its own do as well", arguments: ["ddi", "sidecar"])
  func layouts(layout: String) throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let build = try VerityBPFCommand.run(
      [
        "build-image", directory.file("objects"), "-o", directory.file("a.raw"), "--layout", layout, "--name", "a",
        "--version", "1.2",
      ])
    #expect(build.status == 0, "\(build.errors)")
    let result = try VerityBPFCommand.run(["self-test", "--json", "--image", directory.file("a.raw")])
    #expect(result.status == 0, "\(result.errors)\(result.output)")
    #expect(Self.controls(try result.json())["older-image"] == "held")
  }

  @Test("What lies behind the file system under the tree changes nothing")
  func paddedImage() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let path = directory.file("padded.raw")
    try Tools.run("mkfs.erofs", "--quiet", "-T0", "-x-1", path, directory.file("objects"))
    try Tools.run("truncate", "-s", "%1M", path)
    let size = try OwnedFD.open(path, .readOnly).status().size
    #expect(size.isMultiple(of: 1 << 20))
    try Tools.run(
      "veritysetup", "format", path, path, "--hash-offset=\(size)",
      "--root-hash-file=\(directory.file("padded.roothash"))")
    let result = try VerityBPFCommand.run(
      ["self-test", "--json", "--image", path, "--hash-offset", "\(size)", "--object", "xdp_counter.bpf.o"])
    #expect(result.status == 0, "\(result.errors)\(result.output)")
    #expect(Self.controls(try result.json())["flipped-data"] == "held")
  }

  @Test("A broken image cannot be tested with")
  func brokenImage() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = try ForeignImage.build(directory.file("objects"), at: directory.file("foreign.raw"))
    let file = try OwnedFD.open(image.path, .readWrite)
    try file.writeAll([UInt8](repeating: 0x55, count: 16).rawSpan, at: image.dataSize - 4096)
    let result = try VerityBPFCommand.run(["self-test", "--image", image.path, "--object", "xdp_counter.bpf.o"])
    #expect(result.status == 4)
  }

  @Test("Nothing is left behind, neither at the end nor when it is stopped", arguments: [false, true])
  func leavesNothing(isStopped: Bool) throws {
    let directory = try TemporaryDirectory()
    let loops = Tools.isRoot ? try Tools.run("losetup", "-l", "-n", "-O", "BACK-FILE") : ""
    #expect(!loops.contains(directory.path))
    let script =
      isStopped
      ? "\(VerityBPFCommand.path) self-test & sleep 0.15; kill -INT $!; wait $!; true"
      : "\(VerityBPFCommand.path) self-test"
    // TMPDIR is where it works; in a background job of a script SIGINT is ignored unless the program takes it.
    _ = try Subprocess.run(
      ["sh", "-c", "export TMPDIR='\(directory.path)'; \(script)"])
    #expect(try Directory.names(directory.path) == [])
    if Tools.isRoot {
      #expect(try !Tools.run("losetup", "-l", "-n", "-O", "BACK-FILE").contains(directory.path))
      #expect(try !Tools.run("cat", "/proc/self/mountinfo").contains(directory.path))
    }
  }

  @Test("What cannot be made is no broken guard", arguments: [24, 40, 64, 96])
  func fullDisk(kibibytes: Int) throws {
    guard Tools.isRoot else { return print("skipped: a small file system needs root") }
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = directory.file("a.raw")
    #expect(try VerityBPFCommand.run(["build-image", directory.file("objects"), "-o", image]).status == 0)
    let small = directory.file("small")
    try Directory.create(small)
    try Tools.run("mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "none", small)
    defer { _ = try? Tools.run("umount", small) }
    let result = try VerityBPFCommand.run(
      ["self-test", "--json", "--image", image], wrapper: ["env", "TMPDIR=\(small)"])
    #expect(result.status == 1, "\(result.output)\(result.errors)")
    let answer = try result.json()
    let verdicts = Self.controls(answer)
    #expect(!verdicts.values.contains("broken"), "\(verdicts)")
    #expect(!verdicts.values.contains("skipped") || verdicts["mounted"] != "skipped", "\(verdicts)")
    if answer["error"] == nil {
      #expect(answer["verdict"] == "incomplete" && verdicts.values.contains("not-made"))
      #expect(result.errors.contains("error[self-test.incomplete]"))
    }
    #expect(try Directory.names(small) == [])
  }

  @Test("A user without privileges skips the mount and says so")
  func unprivileged() throws {
    guard Tools.isRoot else { return print("skipped: not root, so no privileges to give up") }
    let result = try VerityBPFCommand.run(
      ["self-test", "--json"], wrapper: ["setpriv", "--reuid", "65534", "--clear-groups", "--"])
    guard result.status != 126, result.status != 127 else { return print("skipped: the binary is not reachable") }
    #expect(result.status == 0, "\(result.errors)")
    #expect(Self.controls(try result.json())["mounted"] == "skipped")
  }
}
