import Policy
import PolicyTestSupport
import Testing

/// Rules over patterns of paths are found by a part of the path, and decide as if each were looked at.
@Suite struct PathIndexTests {
  @Test func decidesAsEachRuleAlone() throws {
    var generator = SeededGenerator(seed: 7)
    let parts = ["a", "b", "ab", "/", "/a", "b/", "*", "**", "?", "é"]
    func word(_ count: Int) -> String {
      (0..<count).compactMap { _ in parts.randomElement(using: &generator) }.joined()
    }
    for _ in 0..<60 {
      let rules = (0..<20).map { _ in
        "op=BPF_PROG_LOAD x_path=/\(word(Int.random(in: 0...4, using: &generator))) "
          + "action=\(generator.isOne(in: 2) ? "ALLOW" : "DENY")\n"
      }
      let whole = try policy(rules)
      for _ in 0..<40 {
        var facts = Facts(operation: .bpfProgLoad)
        let path = word(Int.random(in: 0...5, using: &generator)).filter { $0 != "*" && $0 != "?" }
        if !generator.isOne(in: 8) { facts.path = "/" + path }
        // Among fewer rules there is no index.
        let first = try rules.indices.first { place in
          let one = try policy([rules[place]]).decide(facts)
          return one.reason == .rule || one.unknownDenials != .none
        }
        let decision = whole.decide(facts)
        let expected: Action = first.map { rules[$0].hasSuffix("ALLOW\n") ? .allow : .deny } ?? .deny
        #expect(decision.action == expected, "\(facts.path ?? "-") \(rules)")
        if facts.path != nil { #expect(decision.line == first.map { $0 + 3 } ?? 2) }
      }
    }
  }

  private func policy(_ rules: [String]) throws -> CompiledPolicy {
    let text = "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n" + rules.joined()
    return try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
  }
}
