import Base
import Policy
import Testing

/// Bytes that the kernel alone vouches for: allowed by a rule that says x_witness=KERNEL, and by nothing else.
@Suite struct KernelAloneTests {
  private static let digest = String(repeating: "ab", count: 32)

  private static func decide(_ lines: String, witness: Witnesses) throws -> Decision {
    let text = "policy_name=p policy_version=1.0.0\n\(lines)\n"
    let policy = try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
    var facts = Facts(operation: .bpfProgLoad)
    facts.dmverityRoothash = DigestLiteral(algorithm: Array("sha256".utf8), bytes: [UInt8](repeating: 0xab, count: 32))
    facts.dmveritySignature = true
    facts.witnesses = witness
    let explained = policy.explain(facts)
    let decision = policy.decide(facts)
    // What explains must say the same.
    #expect(explained.decision.action == decision.action)
    if decision.reason == .rule {
      #expect(explained.rules.first { $0.matches }?.statement.line == decision.line)
    } else {
      #expect(!explained.rules.contains { $0.matches })
    }
    return decision
  }

  @Test(
    arguments: [
      // The line that decides for the kernel alone, or nil; then the same where we vouch too.
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD x_witness=KERNEL action=ALLOW", 3, 3),
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD x_witness=USERSPACE action=ALLOW", nil, 3),
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD x_witness=BOTH action=ALLOW", nil, 3),
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=sha256:@ action=ALLOW", nil, 3),
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW", nil, 3),
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD action=ALLOW", nil, 3),
      // A rule about less does not hide the one that says so.
      (
        "DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=sha256:@ action=ALLOW\n"
          + "op=BPF_PROG_LOAD dmverity_roothash=sha256:@ x_witness=KERNEL action=ALLOW", 4, 3
      ),
      // Whatever else the rule says has to hold too.
      ("DEFAULT action=DENY\nop=BPF_PROG_LOAD x_witness=KERNEL x_path=/lib/* action=ALLOW", nil, nil),
    ] as [(String, Int?, Int?)])
  func onlyARuleThatSaysSoAllows(_ lines: String, _ alone: Int?, _ both: Int?) throws {
    let lines = lines.replacing("@", with: Self.digest)
    let found = try Self.decide(lines, witness: .kernel)
    #expect(found.action == (alone == nil ? .deny : .allow))
    if let alone { #expect(found.line == alone) }
    let proven = try Self.decide(lines, witness: .both)
    #expect(proven.action == (both == nil ? .deny : .allow))
    if let both { #expect(proven.line == both) }
  }

  @Test func denialsStand() throws {
    let revoked = "DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=sha256:\(Self.digest) action=DENY\n"
    let found = try Self.decide(revoked + "op=BPF_PROG_LOAD x_witness=KERNEL action=ALLOW", witness: .kernel)
    #expect(found.action == .deny && found.line == 3)
  }

  @Test(arguments: ["DEFAULT action=ALLOW", "DEFAULT action=DENY\nDEFAULT op=BPF_PROG_LOAD action=ALLOW"])
  func defaultsAllowNothing(_ lines: String) throws {
    let found = try Self.decide(lines, witness: .kernel)
    #expect(found.action == .deny)
    #expect(found.reason == .kernelAlone)
    #expect(found.summary.contains("x_witness=KERNEL"))
    #expect(try Self.decide(lines, witness: .both).action == .allow)
  }
}
