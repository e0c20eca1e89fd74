import Base
import Linux
import TestSupport
import Testing

/// The schemas under docs/schemas, held against what the command really prints.
struct SchemaTests {
  static func schema(_ name: String) throws -> JSONSchema {
    let path = "\(Tools.repository)/docs/schemas/\(name).schema.json"
    return JSONSchema(try JSONValue.parse(try TemporaryDirectory().read(path)))
  }

  private static func expect(_ result: VerityBPFCommand.Result, _ name: String) throws {
    let value = try result.json()
    // The way for failures must not let a result through that is described wrongly.
    #expect(value["schema"] == .string("verity-bpf/\(name)/1"))
    #expect(try schema(name).faults(in: value) == [], "\(name)")
  }

  @Test("Building, looking at, verifying, tracing and judging an image")
  func image() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = directory.file("demo.raw")
    let run = { (arguments: String...) in try VerityBPFCommand.run(arguments + ["--json"]) }
    try Self.expect(run("build-image", directory.file("objects"), "-o", image, "--name", "demo"), "build-image")
    try Self.expect(run("inspect", image), "inspect")
    try Self.expect(run("inspect", directory.file("objects/xdp_counter.bpf.o")), "inspect")
    try Self.expect(run("verify", image), "verify")
    try Self.expect(run("provenance", "--image", image, "--object", "xdp_counter.bpf.o"), "provenance")
    let policy = try directory.write(
      "deny.pol", "policy_name=deny policy_version=1.0.0\nDEFAULT action=DENY\n")
    let denied = try run(
      "load", "--image", image, "--object", "xdp_counter.bpf.o", "--policy", policy, "--dry-run")
    #expect(denied.status == 2)
    try Self.expect(denied, "load")

    // Corrupt and malformed.
    let file = try OwnedFD.open(image, .readWrite)
    let damage: [UInt8] = [1, 2, 3, 4]
    try file.writeAll(damage.rawSpan, at: 8192)
    let corrupt = try run("verify", image)
    #expect(corrupt.status == 4)
    try Self.expect(corrupt, "verify")
    try Self.expect(run("verify", policy, "--root-hash", zeros), "verify")
    try Self.expect(run("verify", directory.file("nothing")), "verify")
  }

  @Test("A signed image")
  func signedImage() throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "ddi")
    let run = { (arguments: String...) in try VerityBPFCommand.run(arguments + ["--json"], in: directory.path) }
    try Self.expect(run("verify", "ddi.raw", "--certificate", "cert.pem"), "verify")
    try Self.expect(run("inspect", "ddi.raw"), "inspect")
    try Self.expect(run("provenance", "--image", "ddi.raw", "--object", "a.bpf.o"), "provenance")
    try directory.write("deny.pol", "policy_name=deny policy_version=1.0.0\nDEFAULT action=DENY\n")
    try Self.expect(
      run("load", "--image", "ddi.raw", "--object", "a.bpf.o", "--policy", "deny.pol", "--dry-run"), "load")
    guard Tools.isRoot else { return print("skipped: mounting needs root") }
    try Directory.create(directory.file("mount"))
    let mounted = try run("mount", "ddi.raw", "mount", "--no-device-mapper")
    defer { _ = try? Subprocess.run(["umount", directory.file("mount")]) }
    #expect(try mounted.json()["signature"]?["refusal"] == "signature.untrusted")
    try Self.expect(mounted, "mount")
  }

  private let zeros = String(repeating: "0", count: 64)

  @Test("Loading, through a mount as root")
  func load() throws {
    guard Tools.isRoot else { return print("skipped: loading programs needs root") }
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    let image = try ForeignImage.build(directory.file("objects"), at: directory.file("foreign.raw"))
    let policy = try directory.write("allow.pol", image.policy)
    let audit = ["--audit-dir", directory.file("audit")]
    try Directory.create(directory.file("audit"))
    let mounted = try MountedImage(image.path, in: directory)
    let object = mounted.file("socket_filter.bpf.o")
    let result = try VerityBPFCommand.run(["load", "--fd", "3", "--policy", policy, "--json"] + audit, object: object)
    #expect(result.status == 0, "\(result.errors)")
    try Self.expect(result, "load")
    try Self.expect(VerityBPFCommand.run(["provenance", "--fd", "3", "--json"], object: object), "provenance")
    let lines = try directory.read("audit/audit.jsonl").split(separator: UInt8(ascii: "\n"))
    let records = try lines.map { try JSONValue.parse(Array($0)) }
    #expect(records.map { $0["stage"] } == ["attempt", "decision", "outcome"])
    for record in records { #expect(try Self.schema("audit").faults(in: record) == []) }
  }

  @Test("The host and the self-test")
  func host() throws {
    try Self.expect(VerityBPFCommand.run(["doctor", "--json"]), "doctor")
    try Self.expect(VerityBPFCommand.run(["doctor", "--record"]), "host-facts")
    try Self.expect(VerityBPFCommand.run(["binfmt", "status", "--json"]), "binfmt")
    try Self.expect(VerityBPFCommand.run(["self-test", "--json"]), "self-test")
    try Self.expect(VerityBPFCommand.run(["self-test", "--json", "--image", "/nonexistent"]), "self-test")
  }

  @Test("Every schema names itself, and is understood whole by the check")
  func files() throws {
    for name in try Directory.names("\(Tools.repository)/docs/schemas") {
      let bytes = try TemporaryDirectory().read("\(Tools.repository)/docs/schemas/\(name)")
      let value = try JSONValue.parse(bytes)
      #expect(value["$id"] == .string("verity-bpf/\(name.prefix { $0 != "." })/1"))
      // No value fits; a keyword that the check does not know would be named among the faults.
      let faults = JSONSchema(value).faults(in: "no such output")
      #expect(!faults.isEmpty)
      #expect(!faults.contains { $0.contains("not known") || $0.contains("no definition") }, "\(name): \(faults)")
    }
  }

  @Test("The check itself finds what is wrong")
  func check() throws {
    let schema = try Self.schema("doctor")
    let good: JSONValue = [
      "schema": "verity-bpf/doctor/1", "verdict": "good", "release": "6.12", "findings": [], "abilities": [],
    ]
    #expect(schema.faults(in: good) == [])
    let bad: [JSONValue] = [
      ["schema": "verity-bpf/doctor/1"],
      ["schema": "verity-bpf/doctor/2", "verdict": "good", "release": "6.12", "findings": [], "abilities": []],
      ["schema": "verity-bpf/doctor/1", "verdict": "fine", "release": "6.12", "findings": [], "abilities": []],
      ["schema": "verity-bpf/doctor/1", "verdict": "good", "release": 6, "findings": [], "abilities": []],
      ["schema": "verity-bpf/doctor/1", "verdict": "good", "release": "6", "findings": [[:]], "abilities": []],
    ]
    for value in bad { #expect(schema.faults(in: value) != []) }
  }
}
