import Base
import Linux
import TestSupport
import Testing

/// Signed lists of what was revoked, on the command line.
@Suite struct RevokedTests {
  let directory: TemporaryDirectory
  private var digest: String { "sha256:" + String(repeating: "0f", count: 32) }

  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    try #require(BuildImageTests.build(directory).status == 0)
    for path in ["trust", "trust/revocation"] { try Directory.create(directory.file(path)) }
    for name in ["security", "other"] {
      try Tools.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)")
    }
    try Tools.run("cp", directory.file("security.crt"), directory.file("trust/revocation/security.pem"))
    try directory.write("allow.pol", "policy_name=a policy_version=1.0.0\nDEFAULT action=ALLOW\n")
  }

  @discardableResult
  private func run(_ arguments: [String], code: Int = 0) throws -> VerityBPFCommand.Result {
    let result = try VerityBPFCommand.run(arguments, in: directory.path)
    #expect(result.status == code, "\(arguments): \(result.output)\(result.errors)")
    return result
  }

  private func make(_ version: String, _ words: [String], by name: String = "security") throws {
    try run(["revoked", "make", "--name", "fleet", "--list-version", version, "-o", "fleet.list"] + words)
    try run(["revoked", "sign", "fleet.list", "--certificate", "\(name).crt", "--private-key", "\(name).key"])
  }

  @discardableResult
  private func install(code: Int = 0) throws -> VerityBPFCommand.Result {
    try run(
      ["revoked", "install", "fleet.p7b", "--trust-anchors", "trust", "--audit-dir", "log", "--json"], code: code)
  }

  private func load(code: Int) throws -> VerityBPFCommand.Result {
    try run(
      ["load", "--image", "out.raw", "--object", "a.bpf.o", "--policy", "allow.pol", "--trust-anchors", "trust"]
        + ["--audit-dir", "log", "--json"], code: code)
  }

  private func object() throws -> String {
    let bytes = try directory.read("progs/a.bpf.o")
    return try Digest.of(bytes.rawSpan).description
  }

  @Test func aListInForceDeniesWhateverThePolicySays() throws {
    guard Tools.isRoot else { return print("skipped: loading programs needs root") }
    _ = try load(code: 0)
    let object = try object()
    try make("1.0.0", ["--object", object, "--signer", digest])
    let checked = try run(["revoked", "check", "fleet.p7b", "--trust-anchors", "trust", "--json"]).json()
    #expect(checked["entries"] == 2 && checked["name"] == "fleet" && checked["signer"] != .null)
    let installed = try install().json()
    #expect(installed["result"] == "installed")
    #expect(try SchemaTests.schema("revoked-check").faults(in: checked) == [])
    #expect(try SchemaTests.schema("revoked-install").faults(in: installed) == [])
    let refused = try load(code: 4)
    #expect(refused.errors.contains("error[provenance.revoked]: the object was revoked by list `fleet` 1.0.0"))
    #expect(refused.errors.contains("line 2 of `trust/revoked.d/fleet.p7b`"), "\(refused.errors)")
    let records = String(decoding: try directory.read("log/audit.jsonl"), as: UTF8.self)
    #expect(records.contains("the object was revoked by list `fleet` 1.0.0"), "\(records)")
    let text = String(decoding: try directory.read("log/audit.log"), as: UTF8.self)
    #expect(text.contains("op=revocation-list list_name=fleet list_version=1.0.0 "), "\(text)")
    // A newer list without the line gives it back; the older one does not come again.
    try Tools.run("cp", directory.file("fleet.p7b"), directory.file("old.p7b"))
    try make("1.1.0", ["--signer", digest])
    #expect(try install().json()["result"] == "updated")
    _ = try load(code: 0)
    try Tools.run("cp", directory.file("old.p7b"), directory.file("fleet.p7b"))
    #expect(try install(code: 4).errors.contains("trust.list-stale"))
    let lines = String(decoding: try directory.read("log/audit.log"), as: UTF8.self).split(separator: "\n")
    let last = try #require(lines.last)
    #expect(last.contains("op=revocation-list list_name=?") && last.hasSuffix("res=0 errno=-116"), "\(last)")
    try Tools.run("cp", directory.file("old.p7b"), directory.file("trust/revoked.d/fleet.p7b"))
    #expect(try load(code: 4).errors.contains("trust.list-stale"))
  }

  /// Nothing is judged, and `revoked list` says why; the same file again puts it right.
  private func stopsEverything(_ code: String) throws {
    let refused = try run(["verify", "out.raw", "--trust-anchors", "trust"], code: 4)
    #expect(refused.errors.contains("error[\(code)]"), "\(code): \(refused.errors)")
    let listed = try run(["revoked", "list", "--trust-anchors", "trust"], code: 4)
    #expect(listed.output.contains("fleet") && listed.output.contains("CANNOT BE RELIED ON"), "\(listed.output)")
    #expect(try install().json()["result"] == "updated")
    #expect(try directory.read("trust/revoked.d/fleet.p7b") == directory.read("fleet.p7b"))
  }

  @Test func whatCannotBeReliedOnStopsEverything() throws {
    try make("1.0.0", ["--object", digest])
    try install()
    let good = try directory.read("trust/revoked.d/fleet.p7b")
    let list = directory.file("trust/revoked.d/fleet.p7b")
    let without = try run(["verify", "out.raw", "--trust-anchors", "trust"], code: 4).errors
    #expect(!without.contains("trust."), "\(without)")
    var damaged = good
    damaged[damaged.count / 2] ^= 1
    try directory.write("trust/revoked.d/fleet.p7b", damaged)
    try stopsEverything("trust.list-signature")
    try Tools.run("rm", list)
    try stopsEverything("trust.list-missing")
    try run(["revoked", "sign", "fleet.list", "-o", list, "--certificate", "other.crt", "--private-key", "other.key"])
    try stopsEverything("trust.list-signature")
    // The text by itself has no signature.
    try Tools.run("cp", directory.file("fleet.list"), list)
    try stopsEverything("trust.list-signature")
  }

  @Test func aListPastItsLastDayIsNotReliedOn() throws {
    try make("1.0.0", ["--object", digest, "--valid-until", "2026-01-31"])
    #expect(try install(code: 4).errors.contains("trust.list-expired"))
    // As if it had been installed then.
    try Directory.create(directory.file("trust/revoked.d"))
    try Tools.run("cp", directory.file("fleet.p7b"), directory.file("trust/revoked.d/fleet.p7b"))
    #expect(try run(["verify", "out.raw", "--trust-anchors", "trust"], code: 4).errors.contains("trust.list-expired"))
    try Tools.run("mv", directory.file("fleet.list"), directory.file("old.list"))
    try make("1.1.0", ["--from", "old.list", "--valid-until", "2999-12-31"])
    #expect(try install().json()["result"] == "updated")
    let json = try run(["revoked", "list", "--trust-anchors", "trust", "--json"]).json()
    #expect(json["valid_until"] == "2999-12-31" && json["entries"] == 1 && json["in_force"] == true)
    #expect(try SchemaTests.schema("revoked-list").faults(in: json) == [])
  }

  @Test func onlyASignerWhoMayAndWasNotRevoked() throws {
    try make("1.0.0", ["--object", digest], by: "other")
    #expect(try install(code: 4).errors.contains("trust.list-signature"))
    #expect((try? FileStatus.of(path: directory.file("trust/revoked.d"))) == nil)
    // A signer whom a list revokes signs no further one; what that signer revoked stays so.
    let script = "openssl x509 -in '\(directory.file("security.crt"))' -outform DER | sha256sum"
    let signer = String(try Tools.run("sh", "-c", script).prefix(64))
    try make("1.0.0", ["--signer", signer, "--object", digest])
    try install()
    try make("1.1.0", ["--object", digest])
    #expect(try install(code: 4).errors.contains("was revoked"))
    #expect(try run(["revoked", "list", "--trust-anchors", "trust"]).output.contains("fleet 1.0.0  2 entries"))
  }

  @Test(arguments: [
    "list_name=a list_version=1.0", "list_name=.a list_version=1.0.0", "object x", "",
    "list_name=a list_version=1.0.0 valid_until=2026-02-30", "list_name=a list_version=1.0.0 more",
  ])
  func headsThatAreNone(_ head: String) throws {
    try directory.write("x.list", "\(head)\n")
    #expect(try run(["revoked", "check", "x.list"], code: 3).errors.contains("error[trust.list]"))
    try directory.write("x.list", "list_name=a list_version=1.0.0\nobject x\n")
    #expect(try run(["revoked", "check", "x.list"], code: 3).errors.contains("line 2"))
  }
}
