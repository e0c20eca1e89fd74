import BPFObject
import Base
import Linux
import TestSupport
import Testing

/// What users get wrong, and what attackers try, as the command line answers it: exit code, code of the message, and
/// nothing loaded.
@Suite(.enabled(if: Tools.isRoot, "loop devices, mounts and loading need root"))
struct RefusalTests {
  let directory: TemporaryDirectory
  let image: ForeignImage
  let policy: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    image = try ForeignImage.build(directory.file("progs"), at: directory.file("progs.raw"))
    policy = try directory.write("demo.pol", image.policy)
  }

  private func load(_ arguments: [String], object: String? = nil, wrapper: [String] = []) throws
    -> VerityBPFCommand.Result
  {
    try VerityBPFCommand.run(
      ["load"] + arguments + ["--json", "--audit-dir", directory.file("audit")], object: object, wrapper: wrapper)
  }

  private func expectRefusal(
    _ result: VerityBPFCommand.Result, exit: Int, code: String, location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(result.status == exit, "\(result.errors)", sourceLocation: location)
    #expect(result.errors.contains("error[\(code)]: "), "\(result.errors)", sourceLocation: location)
    let answer = try result.json()
    #expect(answer["error"]?["code"] == .string(code), sourceLocation: location)
    #expect(answer["programs"] == nil, sourceLocation: location)
    // No outcome `loaded` was recorded for it either.
    let records = (try? directory.read("audit/audit.jsonl")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    #expect(!records.contains("\"result\":\"loaded\""), sourceLocation: location)
  }

  @Test func loadsWhatIsProvenAndAllowed() throws {
    let result = try load(["--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", policy])
    #expect(result.status == 0, "\(result.errors)")
    let answer = try result.json()
    #expect(answer["decision"] == "allow")
    #expect(answer["relocation"] == "kernel")
    #expect(answer["rule"]?["line"] == 3)
  }

  @Test func deniesAnImageThatThePolicyDoesNotName() throws {
    try directory.write("progs/extra", "another image")
    let other = try ForeignImage.build(directory.file("progs"), at: directory.file("other.raw"))
    let result = try load(["--image", other.path, "--object", "xdp_counter.bpf.o", "--policy", policy])
    #expect(result.status == 2)
    #expect(result.errors.contains("error[policy.denied]: "))
    #expect(try result.json()["decision"] == "deny")
    #expect(try result.json()["programs"] == .array([]))
  }

  @Test func refusesAWrongRootHash() throws {
    let result = try load([
      "--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", policy, "--root-hash",
      String(image.rootHash.reversed()),
    ])
    try expectRefusal(result, exit: 4, code: "provenance.root-hash")
  }

  @Test(arguments: ["upper case", "newline"])
  func acceptsRootHashFilesAsPeopleWriteThem(form: String) throws {
    let text = form == "newline" ? image.rootHash + "\n" : image.rootHash.uppercased()
    let file = try directory.write("progs.roothash", text)
    let result = try VerityBPFCommand.run([
      "provenance", "--image", image.path, "--object", "xdp_counter.bpf.o", "--root-hash-file", file, "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json()["root_hash"] == .string("sha256:\(image.rootHash)"))
  }

  struct Kind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let path: String
    let code: String
  }

  @Test(arguments: [
    Kind(testDescription: "directory", path: "/", code: "provenance.not-a-file"),
    Kind(testDescription: "device", path: "/dev/null", code: "provenance.not-a-file"),
    Kind(testDescription: "procfs", path: "/proc/version", code: "provenance.file-system"),
    Kind(testDescription: "magic link", path: "/proc/self/exe", code: "provenance.file-system"),
    Kind(testDescription: "disk file system", path: "COPY", code: "provenance.file-system"),
    Kind(testDescription: "larger than an object", path: "LARGE", code: "provenance.file-system"),
  ])
  func refusesDescriptorsWithoutProvenance(kind: Kind) throws {
    let path =
      switch kind.path {
      case "COPY": directory.file("progs/xdp_counter.bpf.o")
      case "LARGE": try directory.write("large", "")
      default: kind.path
      }
    if kind.path == "LARGE" { try OwnedFD.open(path, .readWrite).truncate(to: UInt64(BPFObject.maximumByteCount) + 1) }
    try expectRefusal(
      try load(["--fd", "3", "--policy", policy], object: path), exit: 4, code: kind.code)
  }

  @Test func refusesPipesAndClosedDescriptors() throws {
    let closed = try load(["--fd", "77", "--policy", policy])
    try expectRefusal(closed, exit: 4, code: "provenance.not-a-file")
    // The number that the policy file would get when it is opened first.
    let low = try load(["--fd", "3", "--policy", policy])
    try expectRefusal(low, exit: 4, code: "provenance.not-a-file")
    let fifo = directory.file("fifo")
    try Tools.run("mkfifo", fifo)
    let pipe = try load(
      ["--fd", "3", "--policy", policy], wrapper: ["sh", "-c", "exec 3<>'\(fifo)'; exec \"$@\"", "sh"])
    try expectRefusal(pipe, exit: 4, code: "provenance.not-a-file")
  }

  @Test func refusesTmpfsAndOverlay() throws {
    let script = """
      set -e; cd '\(directory.path)'; mkdir -p t l u w o; mount -t tmpfs tmpfs t
      cp progs/xdp_counter.bpf.o t/; mkdir t/u t/w
      mount -t overlay overlay -o lowerdir=progs,upperdir=t/u,workdir=t/w o
      exec 3<"$1"; shift; exec "$@"
      """
    let tmpfs = try load(
      ["--fd", "3", "--policy", policy],
      wrapper: ["unshare", "--mount", "sh", "-c", script, "sh", "t/xdp_counter.bpf.o"])
    try expectRefusal(tmpfs, exit: 4, code: "provenance.file-system")
    #expect(tmpfs.errors.contains("tmpfs"))
    let overlay = try load(
      ["--fd", "3", "--policy", policy],
      wrapper: ["unshare", "--mount", "sh", "-c", script, "sh", "o/xdp_counter.bpf.o"])
    try expectRefusal(overlay, exit: 4, code: "provenance.file-system")
    #expect(overlay.errors.contains("is on overlayfs: it has a writable layer, `"), "\(overlay.errors)")
  }

  @Test func refusesADescriptorOpenedWithOPath() throws {
    let python =
      "import os,sys; fd=os.open(sys.argv[1], os.O_PATH); os.dup2(fd,9); os.execvp(sys.argv[2], sys.argv[2:])"
    let mounted = try MountedImage(image.path, in: directory)
    let result = try load(
      ["--fd", "9", "--policy", policy],
      wrapper: ["python3", "-c", python, mounted.file("xdp_counter.bpf.o")])
    try expectRefusal(result, exit: 4, code: "provenance.not-a-file")
    #expect(result.errors.contains("O_PATH"))
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    var exit = 4
    /// Changes the image's bytes; the second argument is where the superblock is.
    let apply: @Sendable (inout [UInt8], Int) -> Void
  }

  @Test(arguments: [
    Damage(testDescription: "bit in the object's data", code: "verity.data-mismatch") { bytes, superblock in
      // A name that only the loaded object has.
      let word = Array("cut_short".utf8)
      let place = (0..<superblock - word.count).first { Array(bytes[$0..<$0 + word.count]) == word } ?? 4096
      bytes[place] ^= 1
    },
    Damage(testDescription: "bit in a leaf hash", code: "verity.data-mismatch") { bytes, superblock in
      bytes[superblock + 4096] ^= 1
    },
    Damage(testDescription: "spare area of the tree", code: "verity.spare-not-zero") { bytes, _ in
      bytes[bytes.count - 1] = 1
    },
    Damage(testDescription: "superblock magic", code: "verity.no-superblock") { bytes, superblock in
      bytes[superblock] ^= 1
    },
    Damage(testDescription: "hash type 0", code: "verity.unsupported", exit: 6) { bytes, superblock in
      bytes[superblock + 12] = 0
    },
    Damage(testDescription: "unknown hash type", code: "verity.superblock") { bytes, superblock in
      bytes[superblock + 12] = 2
    },
    Damage(testDescription: "unknown algorithm", code: "verity.unsupported", exit: 6) { bytes, superblock in
      bytes.replaceSubrange(superblock + 32..<superblock + 38, with: Array("sm3\0\0\0".utf8))
    },
    Damage(testDescription: "zero data blocks", code: "verity.superblock") { bytes, superblock in
      for index in 0..<8 { bytes[superblock + 72 + index] = 0 }
    },
    Damage(testDescription: "truncated tree", code: "verity.truncated") { bytes, _ in
      bytes.removeLast(4096)
    },
    Damage(testDescription: "half written", code: "verity.truncated") { bytes, superblock in
      bytes.removeLast(bytes.count - superblock / 2)
    },
    Damage(testDescription: "bytes behind the tree", code: "verity.trailing-bytes") { bytes, _ in
      bytes.append(0)
    },
  ])
  func refusesDamagedImages(damage: Damage) throws {
    var bytes = try directory.read("progs.raw")
    damage.apply(&bytes, Int(image.dataSize))
    let damaged = try directory.write("damaged.raw", bytes)
    let result = try load(["--image", damaged, "--object", "xdp_counter.bpf.o", "--policy", policy])
    try expectRefusal(result, exit: damage.exit, code: damage.code)
  }

  @Test func refusesAMissingObjectAndAMissingImage() throws {
    let object = try load(["--image", image.path, "--object", "no.bpf.o", "--policy", policy])
    #expect(object.status == 1, "\(object.errors)")
    #expect(object.errors.contains("no.bpf.o"))
    let missing = try load(["--image", "/nonexistent.raw", "--object", "a.bpf.o", "--policy", policy])
    try expectRefusal(missing, exit: 1, code: "system.not-found")
  }

  @Test func refusesWithoutAPolicyOrWithABadOne() throws {
    let none = try load(["--image", image.path, "--object", "xdp_counter.bpf.o"])
    #expect(none.status == 64)
    let bad = try directory.write("bad.pol", "policy_name=bad policy_version=1.0.0\nop=BPF_PROG_LOAD action=MAYBE\n")
    let result = try load(["--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", bad])
    #expect(result.status == 3, "\(result.errors)")
  }

  @Test func namesTheMissingCapability() throws {
    let result = try load(
      ["--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", policy],
      wrapper: ["setpriv", "--bounding-set=-bpf,-sys_admin,-net_admin,-perfmon", "--inh-caps=-all"])
    #expect(result.status == 5, "\(result.errors)")
    #expect(result.errors.contains("CAP_BPF"), "\(result.errors)")
  }

  @Test func saysWhenTheKernelHasNoBPF() throws {
    let result = try load(
      ["--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", policy],
      wrapper: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=bpf", "-e", "inject=bpf:error=ENOSYS"])
    #expect(result.status == 6, "\(result.errors)")
  }

  @Test func loadsNothingWithoutAnAuditRecord() throws {
    let result = try VerityBPFCommand.run([
      "load", "--image", image.path, "--object", "xdp_counter.bpf.o", "--policy", policy, "--audit-dir",
      "/proc/no/such/place", "--json",
    ])
    #expect(result.status == 1)
    #expect(result.errors.contains("error[audit.unwritable]: "))
  }
}
