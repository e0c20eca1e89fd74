import Policy
import Testing

@Suite struct StrictDialectTests {
  private let header = "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n"
  private let hex = String(repeating: "ab", count: 32)

  private func codes(_ rule: String, _ severity: PolicyDiagnostic.Severity = .error) -> [String] {
    PolicyDocument.parse(Array((header + rule).utf8), dialect: .verityBPF).diagnostics
      .filter { $0.severity == severity }.map { $0.code }
  }

  /// Spellings beside the ones in the property table's examples.
  @Test(arguments: [
    "bpf_signature=UNSIGNED", "x_helpers=map_lookup_elem,bpf_ringbuf_output,211", "x_image_version_min=1.4",
    "x_requester_uid=0,1000", "dmverity_roothash=sha512:HEXHEX",
  ])
  func propertiesAreRead(property: String) throws {
    let text = header + "op=BPF_PROG_LOAD \(property.replacing("HEX", with: hex)) action=ALLOW\n"
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    #expect(document.isValid && document.diagnostics.isEmpty, "\(document.diagnostics)")
    let statement = try #require(document.statements.last)
    #expect(statement.properties.count == 1)
    // The kernel refuses what is not its own, on purpose.
    let kernel = PolicyDocument.parse(Array(text.utf8), dialect: .kernel)
    #expect(kernel.diagnostics.first { $0.severity == .error }?.code == "policy.not-mainline")
    // What is written comes back as it was.
    let again = PolicyDocument.parse(Array((header + statement.canonicalText).utf8), dialect: .verityBPF)
    #expect(again.statements.last?.canonicalText == statement.canonicalText)
  }

  @Test(arguments: [
    ("op=EXECUTE dmverity_roothash=sha256:abcd action=ALLOW", "policy.digest-length"),
    ("op=EXECUTE dmverity_roothash=sha256: action=ALLOW", "policy.digest-length"),
    ("op=EXECUTE dmverity_roothash=SHA256:HEX action=ALLOW", "policy.unknown-algorithm"),
    ("op=EXECUTE dmverity_roothash=:HEX action=ALLOW", "policy.unknown-algorithm"),
    ("op=EXECUTE dmverity_roothash=HEX action=ALLOW", "policy.bad-digest"),
    (
      "op=EXECUTE fsverity_digest=sha384:HEX\(String(repeating: "0", count: 32)) action=ALLOW",
      "policy.unknown-algorithm"
    ),
    ("op=EXECUTE dmverity_roothash=sha256:HEX#glued\n", "policy.glued-comment"),
    ("op=EXECUTE action=ALLOW#glued", "policy.glued-comment"),
    ("op=EXECUTE dmverity_signature=TRUE dmverity_signature=FALSE action=DENY", "policy.contradiction"),
    ("op=BPF_PROG_LOAD bpf_signature=UNSIGNED bpf_keyring=USER action=DENY", "policy.contradiction"),
    ("op=BPF_PROG_LOAD x_prog_type=xdp x_prog_type=lsm action=ALLOW", "policy.contradiction"),
    ("op=EXECUTE bpf_kernel=TRUE action=ALLOW", "policy.never-matches"),
    ("op=BPF_PROG_LOAD x_path=progs/*.o action=ALLOW", "policy.never-matches"),
    ("op=BPF_PROG_LOAD x_prog_type=xpd action=ALLOW", "policy.bad-value"),
    ("op=BPF_PROG_LOAD x_prog_type=xdp, action=ALLOW", "policy.bad-value"),
    ("op=BPF_PROG_LOAD x_requester_uid=-1 action=ALLOW", "policy.bad-value"),
    ("op=BPF_PROG_LOAD x_image_version_min=1.2.3.4.5 action=ALLOW", "policy.bad-value"),
    ("op=BPF_PROG_LOAD x_path= action=ALLOW", "policy.bad-value"),
    ("op=BPF_PROG_LOAD x_new_property=1 action=ALLOW", "policy.unknown-property"),
    ("op=EXECUTE action=DENY\rop=EXECUTE action=ALLOW", "policy.bare-cr"),
    ("op=EXECUTE action=DENY\u{b}\n", "policy.control-byte"),
    ("# fine\n\u{0}op=EXECUTE action=ALLOW", "policy.nul"),
  ])
  func whatTheKernelLetsSlipIsAnError(rule: String, code: String) {
    #expect(codes(rule.replacing("HEX", with: hex)).first == code)
  }

  @Test func aLatin1BlankAtTheEndIsAnError() {
    let bytes = Array((header + "op=EXECUTE action=DENY").utf8) + [0xa0, 0x0a]
    #expect(KernelAnswer(to: PolicyDocument.parse(bytes, dialect: .kernel)).word == "ok")
    #expect(!PolicyDocument.parse(bytes, dialect: .verityBPF).isValid)
  }

  @Test(arguments: [
    "+1.0.0", "01.0.0",
  ])
  func oneWayToWriteAVersion(version: String) {
    let text = "policy_name=t policy_version=\(version)\nDEFAULT action=DENY\n"
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    #expect(document.diagnostics.map { $0.code } == ["policy.version-form"])
  }

  @Test func permissiveIsSaidInTheHeader() throws {
    let text = "policy_name=t policy_version=1.0.0 x_enforcing=FALSE\nDEFAULT action=DENY\n"
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    #expect(document.isValid)
    #expect(document.header?.enforcing == false)
    #expect(document.diagnostics.map { $0.code } == ["policy.permissive"])
    #expect(PolicyDocument.parse(Array(text.utf8), dialect: .kernel).parserAnswer == .badMessage)
  }

  @Test func theOwnOperationNeedsADefaultToo() {
    let defaults = Dialect.kernel.operations.map { "DEFAULT op=\($0.rawValue) action=DENY\n" }.joined()
    let text = Array(("policy_name=t policy_version=1.0.0\n" + defaults).utf8)
    let document = PolicyDocument.parse(text, dialect: .verityBPF)
    #expect(document.diagnostics.map { $0.code } == ["policy.no-default"])
    #expect(PolicyDocument.parse(text, dialect: .kernel).isValid)
  }

  @Test func aDiagnosticPointsAtTheWord() throws {
    let text = Array((header + "# more\n  op=EXECUTE\tdmverity_roothash=abcd action=ALLOW # why\n").utf8)
    let document = PolicyDocument.parse(text, dialect: .verityBPF)
    let diagnostic = try #require(document.diagnostics.first)
    #expect(diagnostic.start == SourcePosition(line: 4, column: 32))
    #expect(diagnostic.end == SourcePosition(line: 4, column: 36))
    #expect(
      diagnostic.rendered(file: "p.pol", text: document.text) == """
        p.pol:4:32: error[policy.bad-digest]: `dmverity_roothash` needs alg:hex, and there is no algorithm before the \
        digits (the kernel would answer EBADMSG)
              op=EXECUTE\tdmverity_roothash=abcd action=ALLOW # why
                        \t                  ^~~~ write sha256:…
        """)
  }

  @Test func nearMissesAreNamed() throws {
    let document = PolicyDocument.parse(
      Array((header + "op=EXECUT action=ALLOW\nop=EXECUTE boot_verifed=TRUE action=ALLOW").utf8), dialect: .verityBPF)
    #expect(document.diagnostics.map { $0.hint } == ["did you mean EXECUTE?", "did you mean boot_verified?"])
  }
}
