import Base
import Linux
import TestSupport
import Testing

/// A certificate with a key that OpenSSL does not know, wherever one can be named or lie: a refusal or a warning with its
/// name, never a crash.
@Suite(.serialized) struct UnknownKeyTests {
  let directory: TemporaryDirectory
  let object: String
  let unknown: String
  let algorithm: String

  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/bpf", "trust/image"] { try Directory.create(directory.file(path)) }
    try Tools.run(
      "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
      directory.file("alice.key"), "-out", directory.file("alice.crt"), "-subj", "/CN=alice", "-days", "2")
    let (pem, algorithm) = try UnknownKey.certificate(from: try directory.read("alice.crt"))
    self.algorithm = algorithm
    unknown = try directory.write("unknown.crt", pem)
    try directory.write("trust/bpf/unknown.pem", pem)
    try Tools.buildDemo(into: directory.file("progs"))
    object = directory.file("progs/socket_filter.bpf.o")
    let signed = try VerityBPFCommand.run(["sign", "file", object] + signer("alice.crt"))
    try #require(signed.status == 0, "\(signed.errors)")
  }

  private func signer(_ certificate: String) -> [String] {
    ["--certificate", directory.file(certificate), "--private-key", directory.file("alice.key")]
  }

  /// The one line about the anchor.
  private func isWarned(_ result: VerityBPFCommand.Result) -> Bool {
    result.errors.split(separator: "\n").contains {
      $0.hasPrefix("warning[signature.certificate-key]: `\(directory.file("trust/bpf/unknown.pem"))`")
        && $0.contains(algorithm)
    }
  }

  @Test func whoNamesItIsTold() throws {
    let policy = try directory.write("p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\n")
    let store = directory.file("store")
    for command in [
      ["verify", object, "--certificate", unknown],
      ["verify", object, "--certificate", directory.file("alice.crt"), "--certificate", unknown],
      ["sign", "file", object, "-o", directory.file("again.o")] + signer("unknown.crt"),
      ["policy", "sign", policy] + signer("unknown.crt"),
      ["policy", "init", "--store", store, "--audit-dir", "\(store).audit", "--certificate", unknown],
      ["build-image", directory.file("progs"), "-o", directory.file("image")] + signer("unknown.crt"),
    ] {
      let result = try VerityBPFCommand.run(command)
      #expect(result.status == 1, "\(command): \(result.errors)")
      #expect(
        result.errors.hasPrefix("error[signature.certificate-key]: `\(unknown)`") && result.errors.contains(algorithm),
        "\(command): \(result.errors)")
    }
    for made in ["again.o", "store", "image", "p.p7b"] {
      #expect((try? FileStatus.of(path: directory.file(made))) == nil, "\(made)")
    }
  }

  @Test func verifyPassesOverIt() throws {
    let command = ["verify", object, "--trust-anchors", directory.file("trust")]
    let alone = try VerityBPFCommand.run(command)
    #expect(alone.status == 64 && alone.errors.contains("error[verify.no-certificate]"), "\(alone.errors)")
    #expect(isWarned(alone), "\(alone.errors)")
    // The good one has the same name and number, and is read after it.
    try Tools.run("cp", directory.file("alice.crt"), directory.file("trust/bpf/zgood.pem"))
    let beside = try VerityBPFCommand.run(command)
    #expect(beside.status == 0 && isWarned(beside), "\(beside.errors)")
  }

  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func loadPassesOverItAndRecords() throws {
    let policy = try directory.write(
      "test.pol",
      "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD bpf_signature=OK action=ALLOW\n")
    let command = [
      "load", "--object", object, "--policy", policy, "--trust-anchors", directory.file("trust"), "--json",
      "--audit-dir", directory.file("audit"),
    ]
    let denied = try VerityBPFCommand.run(command)
    #expect(denied.status == 2 && isWarned(denied), "\(denied.errors)")
    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    let decision = try #require(records.first { $0["stage"] == "decision" })
    #expect(decision["signature"]?["verdict"] == "UNKNOWNKEY", "\(decision)")
    try Tools.run("cp", directory.file("alice.crt"), directory.file("trust/bpf/zgood.pem"))
    let allowed = try VerityBPFCommand.run(command + ["--dry-run"])
    #expect(allowed.status == 0 && isWarned(allowed), "\(allowed.errors)")
  }
}
