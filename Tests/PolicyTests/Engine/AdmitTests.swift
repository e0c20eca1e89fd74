import Base
import Policy
import Testing

@Suite struct AdmitTests {
  private let digest: Digest
  private let other: Digest
  init() throws {
    digest = try #require(Digest(.sha256, bytes: [UInt8](repeating: 1, count: 32)))
    other = try #require(Digest(.sha256, bytes: [UInt8](repeating: 2, count: 32)))
  }

  private func program(_ type: String) -> Facts {
    var facts = Facts(operation: .bpfProgLoad)
    facts.programTypes = [type]
    return facts
  }

  private let rules = "DEFAULT action=DENY\nop=BPF_PROG_LOAD x_prog_type=xdp action=ALLOW"

  @Test func aPermitIsForTheseBytes() throws {
    switch try compile(rules).admit([program("xdp"), program("xdp")], objectDigest: digest) {
    case .allow(let permit, let ruling):
      #expect(permit.objectDigest == digest)
      #expect(ruling.decisions.count == 2 && ruling.deciding.line == 3)
    case .deny(let ruling): Issue.record("denied: \(ruling.deciding.summary)")
    }
  }

  @Test func oneDenialDeniesTheObject() throws {
    switch try compile(rules).admit([program("xdp"), program("kprobe"), program("lsm")], objectDigest: digest) {
    case .allow: Issue.record("allowed")
    case .deny(let ruling):
      #expect(ruling.program == 1 && ruling.deciding.ruleText == "DEFAULT action=DENY")
    }
  }

  /// What can never be allowed, whatever the policy says, not even by a permissive one.
  @Test(arguments: ["policy_name=t policy_version=1.0.0", "policy_name=t policy_version=1.0.0 x_enforcing=FALSE"])
  func emptyForeignAndMistakenRequests(header: String) throws {
    let policy = try compile("DEFAULT action=ALLOW", header: header)
    var foreign = program("xdp")
    foreign.object = DigestLiteral(other.description)
    var mistaken = program("xdp")
    mistaken.operation = .execute
    for (programs, reason) in [
      ([], Decision.Reason.nothingToJudge), ([foreign], .otherObject), ([mistaken], .otherDialect),
    ] {
      switch policy.admit(programs, objectDigest: digest) {
      case .allow: Issue.record("allowed: \(reason)")
      case .deny(let ruling): #expect(ruling.deciding.reason == reason)
      }
    }
  }

  @Test func aKernelPolicySaysNothingAboutPrograms() throws {
    let text = Array("policy_name=t policy_version=1.0.0\nDEFAULT action=ALLOW".utf8)
    let policy = try CompiledPolicy(PolicyDocument.parse(text, dialect: .kernel))
    switch policy.admit([program("xdp")], objectDigest: digest) {
    case .allow: Issue.record("allowed")
    case .deny(let ruling): #expect(ruling.deciding.reason == .otherDialect)
    }
  }

  @Test func aPermissivePolicyLetsPassAndSaysSo() throws {
    let policy = try compile(rules, header: "policy_name=t policy_version=1.0.0 x_enforcing=FALSE")
    switch policy.admit([program("kprobe")], objectDigest: digest) {
    case .allow(_, let ruling):
      #expect(ruling.hasDenial && ruling.deciding.action == .deny && !ruling.deciding.enforcing)
    case .deny: Issue.record("denied")
    }
  }

  @Test func theObjectsOwnDigestIsAFact() throws {
    let policy = try compile("DEFAULT action=DENY\nop=BPF_PROG_LOAD x_object=\(digest) action=ALLOW")
    switch policy.admit([Facts(operation: .bpfProgLoad)], objectDigest: digest) {
    case .allow: break
    case .deny: Issue.record("denied")
    }
    switch policy.admit([Facts(operation: .bpfProgLoad)], objectDigest: other) {
    case .allow: Issue.record("allowed")
    case .deny: break
    }
  }
}
