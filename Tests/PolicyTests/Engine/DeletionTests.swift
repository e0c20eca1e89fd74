import Glibc
import KernelABI
import Policy
import PolicyTestSupport
import Testing

/// Leaving evidence out never makes an ALLOW of a DENY.
///
/// `VERITY_BPF_DELETIONS` says how many pairs of facts and a policy are tried; the seed is always the same.
@Suite struct DeletionTests {
  @Test func noDenialBecomesAnAllowance() throws {
    let pairs = getenv("VERITY_BPF_DELETIONS").flatMap { Int(String(cString: $0)) } ?? 40_000
    var generator = SeededGenerator(seed: 27)
    var (denied, deletions) = (0, 0)
    for _ in 0..<(pairs / 40) {
      let (text, policy) = RandomPolicies.next(&generator)
      for _ in 0..<40 {
        let facts = Self.facts(&generator)
        guard policy.decide(facts).action == .deny else { continue }
        denied += 1
        for (piece, left) in DeletedFacts.all(of: facts) {
          deletions += 1
          let decision = policy.decide(left)
          guard decision.action == .allow else { continue }
          Issue.record("without \(piece): \(decision.summary)\n\(text)\(facts)")
          return
        }
      }
    }
    print("deletion: \(pairs) pairs, \(denied) of them denied, \(deletions) deletions")
    #expect(denied > pairs / 4 && denied < pairs)
  }

  /// The engine finds rules by an index; the explanation walks over all of them. Both say the same of such facts.
  @Test func theExplanationAgrees() throws {
    var generator = SeededGenerator(seed: 28)
    for _ in 0..<300 {
      let (text, policy) = RandomPolicies.next(&generator)
      for _ in 0..<20 {
        let facts = Self.facts(&generator)
        let explanation = policy.explain(facts)
        let open = explanation.rules.prefix { !$0.matches }.filter { rule in
          rule.statement.action == .deny && !rule.properties.contains { $0.outcome == .fails || $0.outcome == .doubted }
        }
        let matching = explanation.rules.first { $0.matches }?.statement
        let decision = explanation.decision
        #expect(decision.unknownDenials.rules.map(\.statement) == open.map(\.statement), "\(text)\(facts)")
        if decision.reason == .rule { #expect(decision.statement == matching, "\(text)\(facts)") }
        if decision.action == .allow { #expect(open.isEmpty, "\(text)\(facts)") }
        if matching?.action == .allow, !open.isEmpty { #expect(decision.reason == .notRuledOut, "\(text)\(facts)") }
      }
    }
  }

  private static func facts(_ generator: inout SeededGenerator) -> Facts {
    var facts = Facts(operation: .bpfProgLoad)
    func digest(_ generator: inout SeededGenerator) -> DigestLiteral? {
      RandomPolicies.digests.randomElement(using: &generator).flatMap { DigestLiteral($0) }
    }
    if !generator.isOne(in: 3) {
      facts.dmverityRoothash = digest(&generator)
      facts.witnesses = [.userspace, .both, .both, .kernel].randomElement(using: &generator)
      facts.dmverityMode = [.eio, .logging, nil].randomElement(using: &generator) ?? nil
      facts.executed = Bool.random(using: &generator)
      facts.kernelExecute = [true, false, nil].randomElement(using: &generator) ?? nil
      facts.blocksVerified = [true, false, nil].randomElement(using: &generator) ?? nil
      if generator.isOne(in: 3) { facts.doubts = [.checksAtMostOnce] }
      if !generator.isOne(in: 4) { facts.path = ["/a", "/b", "/a/b"].randomElement(using: &generator) }
      if generator.isOne(in: 2) { facts.imageName = ["demo", "evil"].randomElement(using: &generator) }
      if generator.isOne(in: 2) { facts.imageVersion = [[1, 0], [2, 1]].randomElement(using: &generator) }
    }
    facts.dmveritySignature = [true, false, nil].randomElement(using: &generator) ?? nil
    if generator.isOne(in: 3) { facts.fsverityDigest = digest(&generator) }
    facts.fsveritySignature = [true, false, nil].randomElement(using: &generator) ?? nil
    facts.bpfSignature = SignatureVerdict.allCases.randomElement(using: &generator)
    if generator.isOne(in: 3) { facts.bpfKeyring = [.user, .kernel(.bpf)].randomElement(using: &generator) }
    facts.bpfKernel = false
    facts.signatureSources = [.kernel, .userspace, .both, nil].randomElement(using: &generator) ?? nil
    for _ in 0..<Int.random(in: 0...2, using: &generator) {
      if let one = digest(&generator) { facts.signers.append(one) }
    }
    if generator.isOne(in: 4), let one = digest(&generator) { facts.doubtedSigners = [one] }
    facts.object = digest(&generator)
    facts.programTypes = [["xdp"], ["tracing"]].randomElement(using: &generator)
    facts.isDynamic = [true, false].randomElement(using: &generator)
    facts.isConfigured = [true, false].randomElement(using: &generator)
    facts.coreByLoader = [true, false].randomElement(using: &generator)
    facts.programClass = [.restricted, .full].randomElement(using: &generator)
    facts.reads = [KernelReads.none, .declared, .undeclared].randomElement(using: &generator)
    facts.requesterUID = [0, 5].randomElement(using: &generator)
    if generator.isOne(in: 2) { facts.requesterPath = "/usr/bin/a" }
    if generator.isOne(in: 2) {
      (facts.requesterRoothash, facts.requesterObject) = (digest(&generator), digest(&generator))
    }
    facts.requesterSignature = [true, false, nil].randomElement(using: &generator) ?? nil
    for name in PropertyName.allCases where name.canBeMissing && generator.isOne(in: 3) { facts.settled.insert(name) }
    return facts
  }
}
