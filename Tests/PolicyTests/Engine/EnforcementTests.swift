import Base
import Policy
import PolicyTestSupport
import Testing

/// `x_enforcing` of headers, operations and rules: what happens is decided as if what only records were not there.
@Suite struct EnforcementTests {
  private static let first = "policy_name=t policy_version=1.0.0"
  private static let digest = RandomPolicies.digests[0]

  private func document(_ rules: String, header: String = first) -> PolicyDocument {
    PolicyDocument.parse(Array("\(header)\n\(rules)\n".utf8), dialect: .verityBPF)
  }

  private func decide(
    _ rules: String, header: String = first, _ operation: Operation = .bpfProgLoad, roothash: String? = digest
  ) throws -> Decision {
    var facts = Facts(operation: operation)
    facts.dmverityRoothash = roothash.flatMap { DigestLiteral($0) }
    return try CompiledPolicy(document(rules, header: header)).decide(facts)
  }

  private static let watched = "op=BPF_PROG_LOAD dmverity_roothash=\(digest) x_enforcing=FALSE action=DENY"
  private static let allowed = "op=BPF_PROG_LOAD dmverity_roothash=\(digest) action=ALLOW"

  @Test func watchedRuleRecordsAndLets() throws {
    let decision = try decide("DEFAULT action=DENY\n\(Self.watched)\n\(Self.allowed)")
    #expect(decision.action == .deny && !decision.enforcing && decision.lets)
    #expect(decision.line == 3 && decision.lettingStatement?.line == 4 && decision.watchedStatement == nil)
    #expect(decision.summary == "DENY at line 3 (only recorded)")
    #expect(decision.ruleText == Self.watched)
  }

  /// A rule that only records is no way to allow what the rest denies.
  @Test func watchedRuleAllowsNothing() throws {
    let decision = try decide("DEFAULT action=DENY\n\(Self.watched)")
    #expect(decision.action == .deny && decision.enforcing && !decision.lets)
    #expect(decision.reason == .globalDefault && decision.watchedStatement?.line == 3)
    #expect(decision.lettingStatement == nil)
  }

  @Test func watchedRuleThatIsNotRuledOutDecidesNothing() throws {
    let rules = "DEFAULT action=DENY\n\(Self.watched)\nop=BPF_PROG_LOAD action=ALLOW"
    let decision = try decide(rules, roothash: nil)
    #expect(decision.reason == .notRuledOut && decision.lets && decision.line == 3)
    let enforced = try decide(rules.replacing(" x_enforcing=FALSE", with: ""), roothash: nil)
    #expect(!enforced.lets && enforced.enforcing)
  }

  @Test(arguments: [
    ("DEFAULT action=ALLOW\nDEFAULT op=BPF_PROG_LOAD x_enforcing=FALSE action=DENY", true),
    ("DEFAULT action=DENY\nDEFAULT op=BPF_PROG_LOAD x_enforcing=TRUE action=DENY", false),
    ("DEFAULT action=DENY\nDEFAULT op=KMODULE x_enforcing=FALSE action=DENY", false),
  ])
  func operationsSayItForThemselves(_ rules: String, lets: Bool) throws {
    let decision = try decide(rules)
    #expect(decision.action == .deny && decision.lets == lets && decision.enforcing != lets)
  }

  @Test func theNearestWordCounts() throws {
    let permissive = Self.first + " x_enforcing=FALSE"
    let enforced = Self.watched.replacing("FALSE", with: "TRUE")
    #expect(!(try decide("DEFAULT action=DENY\n\(enforced)", header: permissive)).lets)
    #expect(try decide("DEFAULT action=DENY\n\(Self.watched)", header: permissive).lets)
    let operation = "DEFAULT op=BPF_PROG_LOAD x_enforcing=TRUE action=DENY"
    #expect(!(try decide("DEFAULT action=ALLOW\n\(operation)", header: permissive)).lets)
    #expect(try decide("DEFAULT action=DENY", header: permissive, .kmodule).lets)
  }

  /// The denial of a program that is enforced counts for its object, whichever comes first.
  @Test func enforcedDenialOfOneProgramCounts() throws {
    let rules =
      "DEFAULT action=ALLOW\nop=BPF_PROG_LOAD x_prog_type=xdp x_enforcing=FALSE action=DENY\n"
      + "op=BPF_PROG_LOAD x_prog_type=lsm action=DENY"
    let policy = try CompiledPolicy(document(rules))
    let digest = try #require(Digest(Self.digest))
    let programs = try ["xdp", "lsm"].map { type in
      var facts = Facts(operation: .bpfProgLoad)
      try facts.set("x_prog_type", type)
      return facts
    }
    switch policy.admit(programs, objectDigest: digest) {
    case .allow: Issue.record("allowed")
    case .deny(let ruling): #expect(ruling.program == 1 && ruling.deciding.line == 4)
    }
    switch policy.admit([programs[0]], objectDigest: digest) {
    case .allow(_, let ruling): #expect(ruling.hasDenial && ruling.deciding.line == 3)
    case .deny: Issue.record("denied")
    }
  }

  @Test(arguments: [
    ("op=BPF_PROG_LOAD x_enforcing=FALSE action=ALLOW", "policy.enforcing"),
    ("op=BPF_PROG_LOAD x_enforcing=FALSE x_enforcing=TRUE action=DENY", "policy.enforcing"),
    ("op=BPF_PROG_LOAD x_enforcing=no action=DENY", "policy.enforcing"),
    ("x_enforcing=FALSE op=BPF_PROG_LOAD action=DENY", "policy.enforcing"),
  ])
  func refused(_ line: String, code: String) {
    let found = document("DEFAULT action=DENY\n\(line)")
    #expect(!found.isValid && found.diagnostics.map { $0.code } == [code])
    #expect(!document("DEFAULT x_enforcing=FALSE action=DENY").isValid)
  }

  @Test func kernelDialectDoesNotKnowIt() {
    let text = "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=EXECUTE x_enforcing=FALSE action=DENY\n"
    let found = PolicyDocument.parse(Array(text.utf8), dialect: .kernel)
    #expect(found.diagnostics.first?.code == "policy.not-mainline" && found.parserAnswer == .badMessage)
  }

  @Test func formattingKeepsIt() throws {
    let text = "DEFAULT action=DENY\nop=BPF_PROG_LOAD x_enforcing=FALSE x_prog_type=xdp action=DENY"
    let formatted = try #require(document(text).formatted)
    #expect(
      String(decoding: formatted, as: UTF8.self).contains("x_prog_type=xdp x_enforcing=FALSE action=DENY\n"))
    #expect(!document(text).hasSameMeaning(as: document(text.replacing("x_enforcing=FALSE ", with: ""))))
  }

  @Test func explanationShowsWhatOnlyRecords() throws {
    var facts = Facts(operation: .bpfProgLoad)
    facts.dmverityRoothash = DigestLiteral(Self.digest)
    let policy = try CompiledPolicy(document("DEFAULT action=DENY\n\(Self.watched)\n\(Self.allowed)"))
    let rules = policy.explain(facts).rules
    #expect(rules.map { $0.isWatched } == [true, false] && rules.allSatisfy { $0.isReached && $0.matches })
  }

  /// Held against texts in which what only records is not there, over all facts of small vocabularies.
  @Test func happensAsWithoutWhatOnlyRecords() throws {
    var (recorded, refused) = (0, 0)
    for seed in UInt64(1)...60 {
      var generator = SeededGenerator(seed: seed)
      var vocabulary = SmallVocabulary(&generator)
      vocabulary.statesEnforcement = true
      let document = vocabulary.policy(rules: Int.random(in: 1...6, using: &generator), &generator)
      let policy = try CompiledPolicy(document)
      let text = String(decoding: document.text.bytes, as: UTF8.self)
      let stated = try CompiledPolicy(parsed(stripped(text)))
      let happening = try CompiledPolicy(parsed(stripped(withoutWatched(text))))
      for facts in vocabulary.allFacts() {
        let decision = policy.decide(facts)
        let (paper, real) = (stated.decide(facts).action, happening.decide(facts).action)
        #expect(decision.action == paper, "\(text)\n\(facts.json.compact)")
        // The kernel alone is enough to no rule but one that says so, in a policy in trial too, whose denial then happens.
        let isTrial = text.contains("x_enforcing=FALSE\n") || text.contains("BPF_PROG_LOAD x_enforcing=FALSE action")
        guard facts.witnesses != .kernel || !isTrial else { continue }
        #expect(decision.lets == (real == .allow), "\(text)\n\(facts.json.compact)")
        if decision.action == .deny { if decision.lets { recorded += 1 } else { refused += 1 } }
      }
    }
    #expect(recorded > 100 && refused > 100)
  }

  private func parsed(_ text: String) -> PolicyDocument {
    PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
  }

  private func stripped(_ text: String) -> String {
    text.replacing(" x_enforcing=FALSE", with: "").replacing(" x_enforcing=TRUE", with: "")
  }

  /// The text without rules that only record, and with defaults that allow where the operation only records.
  private func withoutWatched(_ text: String) -> String {
    let lines = text.split(separator: "\n").map { String($0) }
    let header = !lines[0].contains("FALSE")
    let own = lines.first { $0.hasPrefix("DEFAULT op=") && $0.contains("x_enforcing=") }.map { $0.contains("TRUE") }
    let operation = own ?? header
    return lines.compactMap { line -> String? in
      if line.hasPrefix("DEFAULT ") {
        let enforced = line.hasPrefix("DEFAULT op=") ? operation : header
        return enforced ? line : line.replacing("action=DENY", with: "action=ALLOW")
      }
      guard line.hasSuffix("action=DENY") else { return line }
      let word = line.contains("x_enforcing=TRUE") ? true : line.contains("x_enforcing=FALSE") ? false : operation
      return word ? line : nil
    }.joined(separator: "\n") + "\n"
  }
}
