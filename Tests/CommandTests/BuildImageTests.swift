import Base
import Linux
import TestSupport
import Testing

/// `build-image` as a user runs it, with veritysetup, fsck.erofs and sha256sum as witnesses.
@Suite struct BuildImageTests {
  /// The demo's objects, built once for all tests.
  static let objects: Result<TemporaryDirectory, any Error> = Result {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    return directory
  }

  /// A fresh directory with some objects below `progs`.
  static func sources(_ names: [String] = ["a.bpf.o", "net/b.bpf.o"]) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try Tools.run("mkdir", "-p", directory.file("progs/net"))
    let object = try Self.objects.get().read("progs/xdp_counter.bpf.o")
    for name in names { try directory.write("progs/\(name)", object) }
    return directory
  }

  static func build(
    _ directory: TemporaryDirectory, _ options: [String] = [], output: String = "out.raw", wrapper: [String] = []
  ) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["build-image", "progs", "-o", output] + options, in: directory.path, wrapper: wrapper)
  }

  @Test func buildsWhatOthersCanVerifyAndRead() throws {
    let directory = try Self.objects.get()
    let result = try Self.build(directory, ["--name=demo", "--version=1.0.0", "--manifest=m.json"])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let lines = result.output.split(separator: "\n")
    let names = try Directory.names(directory.file("progs")).filter { $0.hasSuffix(".bpf.o") }
    #expect(lines.first?.hasPrefix("packed    \(names.count) objects, ") == true)
    let rootHash = String(decoding: try directory.read("out.roothash"), as: UTF8.self)
    #expect(rootHash.utf8.count == 64 && rootHash == rootHash.lowercased())
    #expect(lines.last == "root hash \(rootHash)")

    let manifest = try JSONValue.parse(try directory.read("m.json"))
    guard case .integer(let blocks) = manifest["data_blocks"] else {
      Issue.record("no number of data blocks")
      return
    }
    let image = directory.file("out.raw")
    try Tools.run("veritysetup", "verify", image, image, rootHash, "--hash-offset=\(blocks * 4096)")
    let extracted = directory.file("extracted")
    try Tools.run("fsck.erofs", "--extract=\(extracted)", image)
    #expect(try directory.read("extracted/.verity-bpf/manifest.json") == directory.read("m.json"))
    guard case .array(let objects) = manifest["objects"] else {
      Issue.record("no objects")
      return
    }
    #expect(objects.map { $0["path"] } == names.map { .string($0) })
    for object in objects {
      guard case .string(let path) = object["path"], case .string(let digest) = object["sha256"] else {
        Issue.record("\(object)")
        continue
      }
      #expect(try Tools.run("sha256sum", "\(extracted)/\(path)").hasPrefix(digest))
      #expect(try directory.read("extracted/\(path)") == directory.read("progs/\(path)"))
    }
    let modes = try Tools.run("sh", "-c", "cd \(extracted) && find . -printf '%m %y\\n' | sort -u")
    #expect(modes == "444 f\n555 d\n")
    #expect(try VerityBPFCommand.run(["verify", image]).status == 0)
  }

  /// Who builds, where, when, in which order the files were made, under which umask: none of it is in the image.
  @Test func equalInputGivesEqualBytes() throws {
    let first = try Self.sources()
    #expect(try Self.build(first, ["--seed=x"]).status == 0)
    let image = try first.read("out.raw")

    let second = try TemporaryDirectory()
    try Tools.run("mkdir", "-p", second.file("progs/net"))
    let object = try first.read("progs/a.bpf.o")
    try second.write("progs/net/b.bpf.o", object)
    // A hard link instead of a second file; other modes and times.
    try Tools.run("ln", second.file("progs/net/b.bpf.o"), second.file("progs/a.bpf.o"))
    try Tools.run("chmod", "0755", second.file("progs/a.bpf.o"))
    try Tools.run("touch", "-d", "2001-01-01", second.file("progs/a.bpf.o"))
    let masked = try Self.build(second, ["--seed=x"], wrapper: ["sh", "-c", "umask 077; exec \"$@\"", "sh"])
    #expect(masked.status == 0, "\(masked.errors)")
    #expect(try second.read("out.raw") == image)
    #expect(try second.read("out.roothash") == first.read("out.roothash"))

    // Another place for temporary files, on another file system.
    let elsewhere = try Self.build(
      second, ["--seed=x"], output: "again.raw",
      wrapper: ["env", "TMPDIR=/dev/shm", "LC_ALL=de_DE.UTF-8", "TZ=Asia/Tokyo"])
    #expect(elsewhere.status == 0, "\(elsewhere.errors)")
    #expect(try second.read("again.raw") == image)

    if Tools.isRoot {
      try Tools.run("chmod", "-R", "a+rX", second.path)
      try Tools.run("mkdir", "-m", "0777", second.file("nobody"))
      let other = try Self.build(
        second, ["--seed=x"], output: "nobody/out.raw",
        wrapper: [
          "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
        ])
      #expect(other.status == 0, "\(other.errors)")
      #expect(try second.read("nobody/out.raw") == image)
    } else {
      print("not compared with another user's build: that needs root")
    }
    // What is named differently, or seeded differently, is another image.
    #expect(try Self.build(second, ["--seed=y"]).status == 0)
    #expect(try second.read("out.raw") != image)
    #expect(try Self.build(second, ["--seed=x", "--version=2"]).status == 0)
    #expect(try second.read("out.raw") != image)
  }

  @Test func saysTheSameInJSON() throws {
    let directory = try Self.sources()
    try directory.write("progs/README", "text")
    let result = try Self.build(directory, ["--json"])
    #expect(result.status == 0 && result.output.split(separator: "\n").count == 1)
    let json = try result.json()
    let rootHash = String(decoding: try directory.read("out.roothash"), as: UTF8.self)
    #expect(json["schema"] == "verity-bpf/build-image/1" && json["root_hash"] == .string("sha256:\(rootHash)"))
    #expect(json["image"] == "out.raw" && json["root_hash_file"] == "out.roothash")
    guard case .array(let objects) = json["objects"], case .array(let skipped) = json["skipped"] else {
      Issue.record("\(json)")
      return
    }
    #expect(objects.map { $0["path"] } == ["a.bpf.o", "net/b.bpf.o"])
    #expect(skipped.map { $0["path"] } == ["README"])
  }

  @Test func takesSaltAndPlaces() throws {
    let directory = try Self.sources()
    let salted = try Self.build(directory, ["--salt=00ff", "--root-hash-file=h", "--json"])
    #expect(salted.status == 0)
    #expect(try salted.json()["salt"] == "00ff")
    #expect(try directory.read("h").count == 64)
    let plain = try Self.build(directory, ["--salt=-", "--json"])
    #expect(try plain.json()["salt"] == "")
    #expect(try VerityBPFCommand.run(["verify", directory.file("out.raw")]).status == 0)
    for salt in ["0", "xy", "", String(repeating: "00", count: 257)] {
      #expect(try Self.build(directory, ["--salt=\(salt)"]).status == 64)
    }
  }

  /// An object is known by what it is: other build systems call theirs `x_bpfel.o`, `bpf_lxc.o`, `probe.elf`.
  @Test func knowsObjectsByTheirContent() throws {
    let directory = try Self.sources(["bpf_lxc.o", "flow_x86_bpfel.o", "net/probe.elf", "plain"])
    // The other byte order, which bpf2go makes beside; another machine; and what only begins like one.
    var object = try directory.read("progs/plain")
    object[5] = 2
    try directory.write("progs/flow_x86_bpfeb.o", object)
    (object[5], object[18], object[19]) = (1, 62, 0)
    try directory.write("progs/tool", object)
    try directory.write("progs/bad.o", Array("\u{7f}ELF broken".utf8))
    let result = try Self.build(directory, ["--include=bad.*"])
    #expect(result.status == 0 && result.output.hasPrefix("packed    4 objects, "), "\(result.output)\(result.errors)")
    #expect(result.errors.contains("warning[build.no-object]: `bad.o` is packed as a file like any other"))
    for name in ["flow_x86_bpfeb.o", "tool"] {
      let told = "warning[build.skipped]: `\(name)` is not packed: an ELF file"
      #expect(result.errors.contains(told), "\(result.errors)")
    }
    let listing = try VerityBPFCommand.run(["inspect", directory.file("out.raw"), "--json"]).json()
    guard case .array(let objects) = listing["manifest"]?["objects"] else {
      Issue.record("\(listing)")
      return
    }
    #expect(objects.map { $0["path"] } == ["bpf_lxc.o", "flow_x86_bpfel.o", "net/probe.elf", "plain"])
    #expect(try VerityBPFCommand.run(["verify", directory.file("out.raw")]).status == 0)
    // What is one by its content and cannot be linked is refused like a *.bpf.o.
    try directory.write("progs/cut", Array(try directory.read("progs/plain").prefix(2000)))
    let refused = try Self.build(directory)
    #expect(refused.status != 0 && refused.errors.contains("progs/cut"), "\(refused.errors)")
  }

  @Test(arguments: [("1.4.0", false), ("7", false), ("1.4.0-rc1", true), ("v1", true), ("99999999999", true)])
  func warnsOfAVersionThatNoRuleMatches(version: String, isTold: Bool) throws {
    let result = try Self.build(try Self.sources(["a.bpf.o"]), ["--version=\(version)"])
    #expect(result.status == 0 && result.errors.contains("warning[build.version]") == isTold, "\(result.errors)")
  }

  @Test func packsOtherFilesOnlyWhenNamed() throws {
    let directory = try Self.sources()
    try directory.write("progs/README", "text")
    try directory.write("progs/net/notes.txt", "notes")
    try Tools.run("ln", "-s", "a.bpf.o", directory.file("progs/link.bpf.o"))
    try Tools.run("mkfifo", directory.file("progs/pipe.bpf.o"))
    let result = try Self.build(directory, ["--include=*.txt", "--manifest=m.json"])
    #expect(result.status == 0, "\(result.errors)")
    for name in ["README", "link.bpf.o", "pipe.bpf.o"] {
      #expect(result.errors.contains("warning[build.skipped]: `\(name)` is not packed"))
    }
    let listing = try VerityBPFCommand.run(["inspect", directory.file("out.raw"), "--json"]).json()
    guard case .array(let files) = listing["files"] else {
      Issue.record("\(listing)")
      return
    }
    #expect(files.map { $0["path"] } == [".verity-bpf/manifest.json", "a.bpf.o", "net/b.bpf.o", "net/notes.txt"])
    #expect(listing["manifest"]?["files"] != .array([]))
  }

  @Test func stripsDebuggingSections() throws {
    let directory = try Self.sources([])
    try Tools.run(
      "sh", "-c",
      """
      clang=$(dirname "$(realpath "$(command -v swift)")")/clang
      "$clang" --target=bpfel -mcpu=v3 -O2 -g -nostdinc -I\(Tools.repository)/images/demo/include \
        -c \(Tools.repository)/images/demo/xdp_counter.bpf.c -o \(directory.file("progs/x.bpf.o"))
      """)
    #expect(try Self.build(directory).status == 0)
    let whole = try directory.read("out.raw").count
    #expect(try Self.build(directory, ["--strip", "--manifest=m.json"]).status == 0)
    #expect(try directory.read("out.raw").count < whole)
    let object = try directory.read("progs/x.bpf.o").count
    guard case .array(let objects) = try JSONValue.parse(try directory.read("m.json"))["objects"],
      case .integer(let size) = objects.first?["size"]
    else {
      Issue.record("no object")
      return
    }
    #expect(Int(size) < object)
  }
}
