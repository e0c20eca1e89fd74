import Base
import Glibc
import Policy
import PolicyTestSupport
import Testing
import Workbench

/// What the workbench says of policies, against all facts of a small vocabulary.
///
/// The numbers are the same each time, unless VERITY_BPF_SEED says where to begin; VERITY_BPF_ROUNDS says how many.
@Suite struct BruteForceTests {
  static func rounds(_ usual: Int) -> ClosedRange<UInt64> {
    let seed = number("VERITY_BPF_SEED") ?? 1
    let count = number("VERITY_BPF_ROUNDS") ?? UInt64(usual)
    return seed...(seed + count - 1)
  }

  private static func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
  }

  /// Each change that some facts show is shown by the diff, in its direction; and what the diff shows is a change.
  @Test func diff() throws {
    var (changed, unchanged) = (0, 0)
    for seed in Self.rounds(40) {
      var generator = SeededGenerator(seed: seed)
      let vocabulary = SmallVocabulary(&generator)
      let old = vocabulary.policy(rules: Int.random(in: 0...6, using: &generator), &generator)
      let new =
        generator.isOne(in: 4)
        ? vocabulary.policy(rules: Int.random(in: 0...6, using: &generator), &generator)
        : vocabulary.variant(of: old, &generator)
      let diff = try PolicyDiff(old: old, new: new)
      let (before, after) = (try CompiledPolicy(old), try CompiledPolicy(new))
      let texts = "seed \(seed)\n\(Self.text(old))\n\(Self.text(new))"
      #expect(diff.isComplete, "\(texts)")
      for change in diff.changes {
        let (was, becomes) = (before.decide(change.facts).action, after.decide(change.facts).action)
        #expect(was != becomes && change.facts.contradiction == nil, "\(texts)")
        #expect(try Facts.read(Array(change.facts.json.compact.utf8)) == [change.facts], "\(texts)")
      }
      let shown = Set(diff.changes.map { $0.after.action })
      for facts in vocabulary.allFacts() {
        let becomes = after.decide(facts).action
        if before.decide(facts).action != becomes, !shown.contains(becomes) {
          Issue.record("\(texts)\nnot shown: \(facts.json.compact)")
          break
        }
      }
      if diff.changes.isEmpty { unchanged += 1 } else { changed += 1 }
    }
    #expect(changed > 10 && unchanged > 10 || Self.rounds(1).count < 40)
  }

  /// No rule is called never reached that some facts are decided by.
  @Test func check() throws {
    let codes: Set = ["policy.shadowed", "policy.unreachable", "policy.conflict", "policy.never-matches"]
    var dead = 0
    for seed in Self.rounds(40) {
      var generator = SeededGenerator(seed: seed &+ 1 << 32)
      let vocabulary = SmallVocabulary(&generator)
      let document = vocabulary.policy(rules: Int.random(in: 2...7, using: &generator), &generator)
      let findings = PolicyLint.findings(document)
      #expect(!findings.contains { $0.code == "policy.not-compared" }, "seed \(seed)\n\(Self.text(document))")
      let unreached = Set(findings.filter { codes.contains($0.code) }.map { $0.start.line })
      dead += unreached.count
      let policy = try CompiledPolicy(document)
      for facts in vocabulary.allFacts() {
        let decision = policy.decide(facts)
        if let line = decision.line, unreached.contains(line) {
          Issue.record("seed \(seed), line \(line)\n\(Self.text(document))\nreached: \(facts.json.compact)")
          break
        }
      }
    }
    #expect(dead > 10 || Self.rounds(1).count < 40)
  }

  /// The same where lines are enforced or only record: what is decided on paper and what happens are both compared.
  @Test func enforcement() throws {
    var (changed, unchanged, dead) = (0, 0, 0)
    let codes: Set = ["policy.shadowed", "policy.unreachable", "policy.conflict", "policy.never-matches"]
    for seed in Self.rounds(60) {
      var generator = SeededGenerator(seed: seed &+ 1 << 33)
      var vocabulary = SmallVocabulary(&generator)
      vocabulary.statesEnforcement = true
      let old = vocabulary.policy(rules: Int.random(in: 0...6, using: &generator), &generator)
      let new = vocabulary.variant(of: old, &generator)
      let diff = try PolicyDiff(old: old, new: new)
      let (before, after) = (try CompiledPolicy(old), try CompiledPolicy(new))
      let texts = "seed \(seed)\n\(Self.text(old))\n\(Self.text(new))"
      #expect(diff.isComplete, "\(texts)")
      var shown: Set<[Bool]> = []
      for change in diff.changes {
        let (was, becomes) = (Self.outcome(before.decide(change.facts)), Self.outcome(after.decide(change.facts)))
        #expect(was != becomes, "\(texts)")
        shown.insert(was + becomes)
      }
      let unreached = Set(
        PolicyLint.findings(new).filter { codes.contains($0.code) }.map { $0.start.line })
      dead += unreached.count
      for facts in vocabulary.allFacts() {
        let (was, becomes) = (before.decide(facts), after.decide(facts))
        if Self.outcome(was) != Self.outcome(becomes), shown.isEmpty {
          Issue.record("\(texts)\nnot shown: \(facts.json.compact)")
          break
        }
        let lines = [becomes.line, becomes.watchedStatement?.line, becomes.lettingStatement?.line].compactMap { $0 }
        if let line = lines.first(where: unreached.contains) {
          Issue.record("\(texts)\nline \(line) is reached: \(facts.json.compact)")
          break
        }
      }
      if diff.changes.isEmpty { unchanged += 1 } else { changed += 1 }
    }
    #expect(changed > 10 && unchanged > 5 && dead > 10 || Self.rounds(1).count < 60)
  }

  /// What a decision says, and whether the thing happens.
  private static func outcome(_ decision: Decision) -> [Bool] { [decision.action == .allow, decision.lets] }

  private static func text(_ document: PolicyDocument) -> String {
    String(decoding: document.text.bytes, as: UTF8.self)
  }
}
