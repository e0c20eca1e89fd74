import Base
import Policy
import Testing

/// DENY rules of which nothing fails and something is not known are listed with the decision, and nothing behind them allows.
@Suite struct UnknownDenialTests {
  private static let digests = (1...4).map { "sha256:" + String(repeating: "0\($0)", count: 32) }

  private static func compile(_ rules: String) throws -> CompiledPolicy {
    let text = "policy_name=t policy_version=1.0.0\nDEFAULT action=ALLOW\n\(rules)\n"
    return try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
  }

  private static func listed(_ denials: UnknownDenials) -> [String] {
    denials.rules.map { rule in
      "\(rule.statement.line):" + rule.unknown.map { $0.rawValue }.joined(separator: ",")
    }
  }

  @Test func onlyWhatIsUnknownIsListed() throws {
    let policy = try Self.compile(
      """
      op=BPF_PROG_LOAD x_requester_gid=0 action=DENY
      op=BPF_PROG_LOAD x_requester_gid=0 x_requester_uid=7 action=DENY
      op=BPF_PROG_LOAD x_signer=\(Self.digests[0]) x_path=/progs/* action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=\(Self.digests[1]) action=DENY
      op=BPF_PROG_LOAD x_requester_path=/** action=ALLOW
      op=EXECUTE boot_verified=TRUE action=DENY
      op=BPF_PROG_LOAD x_signer=\(Self.digests[0]) x_requester_uid=0 action=DENY
      op=BPF_PROG_LOAD x_class=FULL action=ALLOW
      op=BPF_PROG_LOAD x_requester_object=\(Self.digests[2]) action=DENY
      """)
    var facts = Facts(operation: .bpfProgLoad)
    facts.requesterUID = 0
    facts.dmverityRoothash = DigestLiteral(Self.digests[0])
    // Line 4 and line 6 fail, line 7 allows, line 8 is of another operation.
    #expect(
      Self.listed(policy.decide(facts).unknownDenials) == [
        "3:x_requester_gid", "5:x_signer,x_path", "9:x_signer", "11:x_requester_object",
      ])
    #expect(policy.decide(facts).action == .deny && policy.decide(facts).reason == .notRuledOut)
    // What comes after the line that would decide is not asked.
    facts.programClass = .restricted
    #expect(policy.decide(facts).line == 3 && policy.decide(facts).action == .deny)
    #expect(
      Self.listed(policy.decide(facts).unknownDenials) == ["3:x_requester_gid", "5:x_signer,x_path", "9:x_signer"])
    // Known signers of whom it is not known that they are all; then lines 5 and 9 fail.
    facts.signers = Self.digests[1...2].compactMap { DigestLiteral($0) }
    #expect(
      Self.listed(policy.decide(facts).unknownDenials) == ["3:x_requester_gid", "5:x_signer,x_path", "9:x_signer"])
    facts.settled.insert(.signer)
    #expect(Self.listed(policy.decide(facts).unknownDenials) == ["3:x_requester_gid"])
    // The signer of line 5, and no path: its chain is walked, and line 9 denies. One whose signature is in doubt will do.
    facts.signers = []
    facts.doubtedSigners = Self.digests[0...0].compactMap { DigestLiteral($0) }
    #expect(policy.decide(facts).line == 9)
    #expect(Self.listed(policy.decide(facts).unknownDenials) == ["3:x_requester_gid", "5:x_path"])
    facts.requesterGID = 4
    facts.path = "/lib/a.o"
    #expect(policy.decide(facts).unknownDenials == .none)
    #expect(policy.decide(facts).line == 9)
    #expect(policy.decide(Facts(operation: nil)).unknownDenials == .none)
  }

  @Test func denialsListThemToo() throws {
    let policy = try Self.compile(
      "op=BPF_PROG_LOAD x_requester_gid=0 action=DENY\nop=BPF_PROG_LOAD x_requester_uid=0 action=DENY")
    var facts = Facts(operation: .bpfProgLoad)
    facts.requesterUID = 0
    let decision = policy.decide(facts)
    #expect(decision.action == .deny && decision.line == 4)
    #expect(
      decision.unknownDenials.lines() == [
        "DENY at line 3 is not ruled out: what it asks of x_requester_gid is not known"
      ])
    #expect(
      JSONValue.object(decision.unknownDenials.jsonMembers).compact
        == "{\"unknown_deny_rules\":[{\"line\":3,\"rule\":\"op=BPF_PROG_LOAD x_requester_gid=0 action=DENY\","
        + "\"unknown\":[\"x_requester_gid\"]}]}")
  }

  @Test func whatTheKernelAloneVouchesForListsThemToo() throws {
    let policy = try Self.compile(
      "op=BPF_PROG_LOAD x_requester_gid=0 action=DENY\nop=BPF_PROG_LOAD x_witness=KERNEL action=ALLOW\n"
        + "op=BPF_PROG_LOAD x_signer=\(Self.digests[0]) action=DENY")
    var facts = Facts(operation: .bpfProgLoad)
    facts.dmverityRoothash = DigestLiteral(Self.digests[0])
    facts.witnesses = .kernel
    #expect(policy.decide(facts).line == 3 && policy.decide(facts).reason == .notRuledOut)
    #expect(Self.listed(policy.decide(facts).unknownDenials) == ["3:x_requester_gid"])
    facts.requesterGID = 4
    #expect(policy.decide(facts).line == 4 && policy.decide(facts).action == .allow)
  }

  /// IPE passes over what it does not know, and so it is for the kernel's own operations.
  @Test func theKernelsOperationsPassThemOver() throws {
    let policy = try Self.compile("op=EXECUTE dmverity_roothash=\(Self.digests[0]) action=DENY")
    let decision = policy.decide(Facts(operation: .execute))
    #expect(decision.action == .allow && decision.reason == .globalDefault)
    #expect(decision.unknownDenials.lines() == ["DENY at line 3 did not apply: dmverity_roothash is not known"])
  }

  /// The programs of one object may know different things.
  @Test func aRulingListsEachRuleOnce() throws {
    let policy = try Self.compile(
      "op=BPF_PROG_LOAD x_signer=\(Self.digests[0]) bpf_keyring=USER action=DENY\n"
        + "op=BPF_PROG_LOAD x_requester_gid=0 action=DENY")
    var first = Facts(operation: .bpfProgLoad)
    first.bpfKeyring = .user
    var second = Facts(operation: .bpfProgLoad)
    second.signers = Self.digests[0...0].compactMap { DigestLiteral($0) }
    second.requesterGID = 1
    let digest = try #require(Digest(.sha256, bytes: [UInt8](repeating: 7, count: 32)))
    let ruling: Ruling
    switch policy.admit([first, second], objectDigest: digest) {
    case .allow(_, let found): ruling = found
    case .deny(let found): ruling = found
    }
    #expect(
      ruling.decisions.map { Self.listed($0.unknownDenials) } == [
        ["3:x_signer", "4:x_requester_gid"], ["3:bpf_keyring"],
      ])
    #expect(Self.listed(ruling.unknownDenials) == ["3:x_signer,bpf_keyring", "4:x_requester_gid"])
  }

  /// Revocations by root hash that an object without a volume cannot be judged by: a hundred are named.
  @Test func manyAreCounted() throws {
    let rules = (0..<250).map { number in
      let digits = String(number, radix: 16)
      let hash = String(repeating: "0", count: 64 - digits.count) + digits
      return "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash) action=DENY\n"
    }
    let denials = try Self.compile(rules.joined()).decide(Facts(operation: .bpfProgLoad)).unknownDenials
    #expect(denials.rules.map(\.statement.line) == Array(3..<103) && denials.omitted == 150)
    #expect(denials.jsonMembers.last?.value == 150)
    #expect(denials.lines(limit: 2).count == 3)
    #expect(denials.lines(limit: 2).last == "the same is so of 248 more DENY rules")
  }

  /// For random policies the list is what a walk over all rules finds.
  @Test func theListAgreesWithAWalk() throws {
    for _ in 0..<150 {
      var rules = ""
      for _ in 0..<Int.random(in: 0...25) {
        var words = ["op=BPF_PROG_LOAD"]
        for name in ["dmverity_roothash", "x_signer", "x_object"] where Int.random(in: 0..<3) == 0 {
          words.append("\(name)=\(Self.digests.randomElement() ?? "")")
        }
        if Int.random(in: 0..<3) == 0 { words.append("bpf_kernel=\(Bool.random() ? "TRUE" : "FALSE")") }
        rules += words.joined(separator: " ") + " action=\(Int.random(in: 0..<4) == 0 ? "ALLOW" : "DENY")\n"
      }
      let policy = try Self.compile(rules)
      for _ in 0..<20 {
        var facts = Facts(operation: .bpfProgLoad)
        if Bool.random() { facts.dmverityRoothash = Self.digests.randomElement().flatMap { DigestLiteral($0) } }
        if Bool.random() { facts.object = Self.digests.randomElement().flatMap { DigestLiteral($0) } }
        facts.signers = Self.digests.shuffled().prefix(Int.random(in: 0...2)).compactMap { DigestLiteral($0) }
        if Bool.random() { facts.bpfKernel = Bool.random() }
        let explanation = policy.explain(facts)
        let walked = explanation.rules.filter { rule in
          let outcomes = rule.properties.map { $0.outcome }
          return rule.isReached && !rule.matches && rule.statement.action == .deny && !outcomes.contains(.fails)
        }
        #expect(
          explanation.decision.unknownDenials.rules.map(\.statement) == walked.map(\.statement), "\(rules)\n\(facts)")
      }
    }
  }
}
