import Base
import Linux
import TestSupport
import Testing

/// A shadow policy beside the active one, on the command line: what it says is recorded, and changes nothing.
@Suite(.enabled(if: Tools.isRoot, "not root: nothing can be mounted")) struct ShadowTests {
  let directory: TemporaryDirectory

  /// An image, and an active policy that allows everything.
  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    try #require(BuildImageTests.build(directory).status == 0)
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=site")
    try directory.write(
      "settings", "policy-store=\(directory.file("store"))\naudit-dir=\(directory.file("log"))\n")
    _ = try policy(["init", "--certificate", "crt"] + store)
    try install("1.0.0", rules: "DEFAULT action=ALLOW\n")
    _ = try policy(["activate", "site"] + store)
  }

  private var store: [String] { ["--store", directory.file("store"), "--audit-dir", directory.file("log")] }

  @discardableResult
  private func policy(_ arguments: [String], code: Int = 0) throws -> VerityBPFCommand.Result {
    let result = try VerityBPFCommand.run(["policy"] + arguments, in: directory.path)
    #expect(result.status == code, "\(arguments): \(result.errors)")
    return result
  }

  private func install(_ version: String, rules: String, _ options: [String] = [], code: Int = 0) throws {
    try directory.write("site.pol", "policy_name=site policy_version=\(version)\n\(rules)")
    try policy(["sign", "site.pol", "--certificate", "crt", "--private-key", "key"])
    let result = try policy(["install", "site.p7b", "--json"] + store + options, code: code)
    if code == 0 { #expect(try SchemaTests.schema("policy-install").faults(in: result.json()) == []) }
  }

  /// Loads, on a host with this store.
  private func load(_ options: [String] = ["--json"]) throws -> VerityBPFCommand.Result {
    let script = """
      mount -t tmpfs -o mode=755 none /run
      mkdir /run/verity-bpf
      install -m 644 settings /run/verity-bpf/verity-bpf.conf
      exec "$@"
      """
    return try VerityBPFCommand.run(
      ["load", "--image", "out.raw", "--object", "a.bpf.o"] + options, in: directory.path,
      wrapper: ["unshare", "--mount", "sh", "-ec", script, "sh"])
  }

  private func lastDecision() throws -> JSONValue {
    let records = try directory.read("log/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    return try #require(records.last { $0["stage"] == "decision" })
  }

  private let denies = "DEFAULT action=DENY\nop=BPF_PROG_LOAD x_prog_type=lsm action=ALLOW\n"

  @Test func aDenialOfTheShadowIsRecordedAndStopsNothing() throws {
    try #require(load().json()["shadow_decision"] == nil)
    try install("1.1.0", rules: denies, ["--shadow"])
    let result = try load()
    #expect(result.status == 0, "\(result.errors)")
    let answer = try result.json()
    #expect(answer["decision"] == "allow" && answer["shadow_decision"] == "deny")
    #expect(answer["shadow_policy"] == ["name": "site", "version": "1.1.0"])
    #expect(answer["shadow_rule"] == "DEFAULT action=DENY" && answer["shadow_rule_line"] == 2)
    #expect(try SchemaTests.schema("load").faults(in: answer) == [])
    let record = try lastDecision()
    #expect(record["decision"] == "allow" && record["shadow_decision"] == "deny")
    #expect(record["policy"]?["version"] == "1.0.0" && record["shadow_policy"]?["version"] == "1.1.0")
    #expect(try SchemaTests.schema("audit").faults(in: record) == [])
    let text = String(decoding: try directory.read("log/audit.log"), as: UTF8.self)
    #expect(text.contains(" shadow_decision=deny shadow_rule="), "\(text)")
    #expect(text.contains("policy_version=1.1.0 ") && text.contains(" shadow=1\n"), "\(text)")
    let people = try load(["--dry-run"])
    #expect(people.status == 0)
    #expect(people.output.contains("shadow   site 1.1.0 would deny it: DENY by DEFAULT at line 2"), "\(people.output)")
    let listed = try policy(["list", "--store", directory.file("store")]).output
    #expect(listed.contains("active  site 1.0.0") && listed.contains("shadow  site 1.1.0  signed by"), "\(listed)")
    let replayed = try policy(["replay", "site.pol", "--audit-log", directory.file("log/audit.jsonl")]).output
    #expect(replayed.contains("the shadow policy decided 1 of 1 otherwise"), "\(replayed)")
  }

  @Test func anAllowanceOfTheShadowAllowsNothing() throws {
    try install("1.0.1", rules: "DEFAULT action=DENY\n")
    try install("1.1.0", rules: "DEFAULT action=ALLOW\n", ["--shadow"])
    let result = try load()
    #expect(result.status == 2)
    #expect(try result.json()["shadow_decision"] == "allow" && lastDecision()["decision"] == "deny")
  }

  /// The same file, installed in the usual manner, is the active policy and no shadow any more.
  @Test func promotionGoesTheUsualWay() throws {
    try install("1.1.0", rules: denies, ["--shadow"])
    try policy(["install", "site.p7b"] + store)
    let result = try load()
    #expect(result.status == 2)
    #expect(try result.json()["shadow_decision"] == nil)
    let listed = try policy(["list", "--store", directory.file("store")]).output
    #expect(listed.contains("active  site 1.1.0") && !listed.contains("shadow"), "\(listed)")
  }

  @Test func versionsAreHeldAsForInstalledPolicies() throws {
    try install("1.0.0", rules: denies, ["--shadow"], code: 3)
    try install("0.9.0", rules: denies, ["--shadow"], code: 3)
    try install("1.2.0", rules: denies, ["--shadow"])
    try install("1.1.0", rules: denies, ["--shadow"], code: 3)
    // The active policy may be mended meanwhile.
    try install("1.0.1", rules: "DEFAULT action=ALLOW\n")
    try policy(["remove", "--shadow", "--store", directory.file("store")])
    try install("1.1.0", rules: denies, ["--shadow"], code: 3)
    try policy(["remove", "--shadow", "--store", directory.file("store")], code: 1)
    try policy(["remove", "--shadow", "site", "--store", directory.file("store")], code: 64)
  }

  @Test func aShadowThatCannotBeUsedStopsNothing() throws {
    try install("1.1.0", rules: denies, ["--shadow"])
    let signed = try directory.read("site.p7b")
    let message = try Digest.of(signed.rawSpan)
    try directory.write("store/messages/\(message.hex)", Array("damaged".utf8))
    let result = try load()
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json()["shadow_decision"] == "unusable" && result.json()["shadow_error"] == "store.damaged")
    #expect(try lastDecision()["shadow_error"] == "store.damaged")
    #expect(try SchemaTests.schema("audit").faults(in: lastDecision()) == [])
    let people = try load(["--dry-run"])
    #expect(people.status == 0 && people.output.contains("shadow   site 1.1.0 cannot be used, which changes nothing"))
    let listed = try policy(["list", "--store", directory.file("store")]).output
    #expect(listed.contains("shadow  site 1.1.0  CANNOT BE USED"), "\(listed)")
    let json = try policy(["list", "--json", "--store", directory.file("store")]).output.split(separator: "\n")
    let schema = try SchemaTests.schema("policy-list")
    for line in json { #expect(try schema.faults(in: JSONValue.parse(Array(line.utf8))) == [], "\(line)") }
    try directory.write("store/messages/\(message.hex)", directory.read("site.p7b"))
    #expect(try load().json()["shadow_decision"] == "deny")
  }
}
