import Base
import Image
import Linux
import TestSupport
import Testing

@testable import verity_bpf

/// `gate plan`, with images as the command reads them.
struct GatePlanTests {
  /// A directory with `progs.raw`, which has an object, and `tools.raw`, which has programs to run.
  private static func images() throws -> TemporaryDirectory {
    let directory = try BuildImageTests.sources(["a.bpf.o"])
    let built = try BuildImageTests.build(directory, ["--name=progs", "--version=1.4"], output: "progs.raw")
    try #require(built.status == 0, "\(built.errors)")
    try Tools.run("mkdir", "-p", directory.file("tools/usr/bin"))
    try Tools.run("cp", "--dereference", "/bin/true", directory.file("tools/usr/bin/loader"))
    try Tools.run("cp", "--dereference", "/bin/false", directory.file("tools/usr/bin/tracer"))
    try directory.write("tools/usr/bin/script", "#!/usr/bin/loader\n")
    let tools = try VerityBPFCommand.run(
      ["build-image", "tools", "-o", "tools.raw", "--include=*"], in: directory.path)
    try #require(tools.status == 0, "\(tools.errors)")
    return directory
  }

  private static func rootHash(_ image: String, _ directory: TemporaryDirectory) throws -> String {
    let answer = try VerityBPFCommand.run(["inspect", image, "--json"], in: directory.path).json()
    guard case .string(let hash)? = answer["root_hash"] else { return try #require(nil, "no root hash") }
    return hash
  }

  private static func plan(
    _ directory: TemporaryDirectory, _ rules: [String], _ options: [String]
  ) throws -> VerityBPFCommand.Result {
    let text = "policy_name=site policy_version=1.0.0\nDEFAULT action=DENY\n" + rules.map { $0 + "\n" }.joined()
    try directory.write("site.pol", text)
    let result = try VerityBPFCommand.run(["gate", "plan", "--policy", "site.pol"] + options, in: directory.path)
    if options.contains("--json") {
      #expect(try SchemaTests.schema("gate-plan").faults(in: try result.json()) == [])
    }
    return result
  }

  private static func elements(_ value: JSONValue?) -> [JSONValue] {
    guard case .array(let elements)? = value else { return [] }
    return elements
  }

  @Test func aLoaderMayLoadTheProgramsOfAnImage() throws {
    let directory = try Self.images()
    let progs = try Self.rootHash("progs.raw", directory)
    let rule = "op=BPF_PROG_LOAD dmverity_roothash=\(progs) action=ALLOW"
    let options = ["--image", "progs.raw", "--loader", "tools.raw:/usr/bin/loader"]
    let result = try Self.plan(directory, [rule], options + ["--json"])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let plan = try result.json()
    #expect(plan["complete"] == true && plan["mode"] == "digests")
    let digests = Self.elements(plan["rows"]?["digests"])
    let digest = try #require(digests.first)
    // The manifest said so beforehand.
    let manifest = try VerityBPFCommand.run(["inspect", "progs.raw", "--json"], in: directory.path).json()["manifest"]
    let object = Self.elements(manifest?["objects"]).first
    let programs = Self.elements(object?["programs"])
    let program = try #require(programs.first)
    #expect(program["instructions"]?["sha256"] == digest["sha256"])
    #expect(program["instructions"]?["count"] == digest["instructions"])
    #expect(digest["type"] == "xdp" && digest["attach_type"] == "xdp")
    let rows = Self.elements(plan["rows"]?["executables"])
    let row = try #require(rows.first)
    #expect(row["right"] == "listed" && row["path"] == "/usr/bin/loader")
    #expect(row["root_hash"] == .string(try Self.rootHash("tools.raw", directory)))
    let sum = try Tools.run("sha256sum", "--binary", directory.file("tools/usr/bin/loader")).prefix { $0 != " " }
    #expect(row["sha256"] == .string(String(sum)))

    let text = try Self.plan(directory, [rule], options)
    #expect(text.status == 0 && text.output.contains("/usr/bin/loader of tools.raw"), "\(text.output)")
    #expect(text.output.contains("rule     line 3: complete"), "\(text.output)")
  }

  /// What the kernel will compare is the number that it shows.
  @Test(.enabled(if: Tools.isRoot, "mounting needs root")) func theInodeIsTheKernels() throws {
    let directory = try Self.images()
    let result = try Self.plan(
      directory, [],
      ["--mode", "loader", "--loader=tools.raw:/usr/bin/loader", "--loader=tools.raw:/usr/bin/tracer", "--json"])
    let rows = Self.elements(try result.json()["rows"]?["executables"])
    try #require(rows.count == 2)
    let mounted = try MountedImage(directory.file("tools.raw"), in: directory)
    for (row, name) in zip(rows, ["loader", "tracer"]) {
      let number = try Tools.run("stat", "--format=%i", mounted.file("usr/bin/\(name)"))
      #expect(row["inode"] == .integer(Int64(number.prefix { $0.isNumber }) ?? -1), "\(name)")
    }
  }

  /// From 6.18 on the kernel's tag is the beginning of SHA-256 over what it was given, after CO-RE.
  @Test(.enabled(if: Tools.isRoot, "loading programs needs root")) func theKernelSeesTheSameDigest() throws {
    let release = try Tools.run("uname", "-r").split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard !release.lexicographicallyPrecedes([6, 18]) else {
      return print("theKernelSeesTheSameDigest: skipped: kernels before 6.18 have SHA-1 as the tag")
    }
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    try directory.write("all.pol", "policy_name=all policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    let run = { (arguments: String...) in try VerityBPFCommand.run(arguments, in: directory.path) }
    try #require(try run("build-image", "objects", "-o", "demo.raw").status == 0)
    let manifest = try run("inspect", "demo.raw", "--json").json()["manifest"]
    var compared = 0
    for object in Self.elements(manifest?["objects"]) {
      guard case .string(let path)? = object["path"] else { continue }
      let loaded = try run(
        "load", "--image", "demo.raw", "--object", path, "--policy", "all.pol", "--audit-dir", ".", "--json")
      for program in Self.elements(try loaded.json()["programs"]) {
        let stated = Self.elements(object["programs"]).first { $0["name"] == program["name"] }?["instructions"]
        guard stated?["core_relocation_count"] == 0, case .string(let digest)? = stated?["sha256"] else { continue }
        #expect(program["tag"] == .string(String(digest.prefix(16))), "\(path): \(program)")
        compared += 1
      }
    }
    #expect(compared >= 2)
  }

  @Test func whatHasNoRowIsReported() throws {
    let directory = try Self.images()
    let tools = try Self.rootHash("tools.raw", directory)
    let rules = [
      "op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW",
      "op=BPF_PROG_LOAD x_requester_dmverity_roothash=\(tools) x_prog_type=tracing,kprobe action=ALLOW",
    ]
    let options = [
      "--image", "progs.raw", "--loader", "tools.raw:/usr/bin/loader", "--executable", "tools.raw:/usr/bin/tracer",
    ]
    let result = try Self.plan(directory, rules, options + ["--json"])
    #expect(result.status == 3 && result.errors.contains("error[gate.left-out]"), "\(result.errors)")
    #expect(result.errors.contains("line 3") && result.errors.contains("dmverity_signature"), "\(result.errors)")
    let plan = try result.json()
    #expect(plan["complete"] == false)
    #expect(Self.elements(plan["rules"]).map { $0["outcome"] } == ["left-out", "narrower"])
    #expect(Self.elements(plan["rows"]?["executables"]).map { $0["right"] } == ["listed", "programs"])

    let skipped = try Self.plan(directory, rules, options + ["--skip-unsupported"])
    #expect(skipped.status == 0 && skipped.errors.isEmpty, "\(skipped.errors)")
    #expect(skipped.output.contains("line 3: left out"), "\(skipped.output)")
    // A loader that judges by the policy needs no row for that rule.
    let judging = try Self.plan(directory, rules, options + ["--mode", "loader"])
    #expect(judging.status == 0, "\(judging.errors)")
  }

  @Test func aPolicyThatAllowsNothingIsSaidToDoSo() throws {
    let directory = try Self.images()
    for options in [[], ["--skip-unsupported"]] {
      let result = try Self.plan(directory, [], options)
      #expect(result.status == 3 && result.errors.contains("error[gate.no-rows]"), "\(result.errors)")
    }
  }

  @Test(arguments: ["/usr/bin/script", "/usr/bin"])
  func whatNoProcessRunsIsRefused(_ path: String) throws {
    let directory = try Self.images()
    let result = try Self.plan(directory, [], ["--loader", "tools.raw:\(path)", "--json"])
    #expect(result.status == 1 && result.errors.contains("error[gate.not-executable]"), "\(result.errors)")
  }

  @Test func imagesAreHeldAgainstTheirRootHashes() throws {
    let directory = try Self.images()
    try directory.write("progs.roothash", String(repeating: "0", count: 64))
    let other = try Self.plan(directory, [], ["--image", "progs.raw"])
    #expect(other.status == 4 && other.errors.contains("error[verity.root-mismatch]"), "\(other.errors)")
    let missing = try Self.plan(directory, [], ["--image", "nothing.raw"])
    #expect(missing.status == 1, "\(missing.errors)")
  }

  /// An image that others made has no manifest, and its objects are found by their first bytes.
  @Test func objectsOfForeignImagesAreFound() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = try ForeignImage.build(directory.file("objects"), at: directory.file("foreign.raw"))
    let result = try Self.plan(
      directory, ["op=BPF_PROG_LOAD x_path=/** action=ALLOW"], ["--image", image.path, "--json"])
    #expect(result.status == 3, "no loader: \(result.errors)")
    #expect(!Self.elements(try result.json()["rows"]?["digests"]).isEmpty)
  }
}
