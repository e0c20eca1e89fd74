import Policy
import Workbench

// The policy engine's figures: what a decision costs with ten digest rules and with a hundred thousand, and how long
// it takes to read, compile and check such a policy. One JSON object a line; times are the best of several rounds.

/// A digest that depends on a number, so that runs can be compared.
func digest(_ number: Int) -> String {
  var state = UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15 &+ 1
  var hex = ""
  for _ in 0..<4 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    let word = String(state, radix: 16)
    hex += String(repeating: "0", count: 16 - word.count) + word
  }
  return "sha256:\(hex)"
}

func policyText(rules: Int) -> [UInt8] {
  var text = "policy_name=bench policy_version=1.0.0\nDEFAULT action=DENY\n"
  text += "op=BPF_PROG_LOAD x_witness=KERNEL dmverity_signature=TRUE action=ALLOW\n"
  for number in 0..<rules { text += "op=BPF_PROG_LOAD dmverity_roothash=\(digest(number)) action=ALLOW\n" }
  return Array(text.utf8)
}

/// Facts whose root hashes are spread over all rules, and as many that no rule knows.
func facts(rules: Int, known: Bool) -> [Facts] {
  (0..<4096).map { number in
    var facts = Facts(operation: .bpfProgLoad)
    let rule = number &* 7919 % rules
    facts.dmverityRoothash = DigestLiteral(digest(known ? rule : -1 - number))
    facts.dmveritySignature = false
    facts.witnesses = .userspace
    facts.bpfSignature = .unsigned
    return facts
  }
}

/// Nanoseconds a decision, the best of ten rounds.
func measure(_ policy: CompiledPolicy, _ facts: [Facts]) -> (nanoseconds: Double, allowed: Int) {
  var best = Double.infinity
  var allowed = 0
  for _ in 0..<10 {
    allowed = 0
    let start = ContinuousClock.now
    for _ in 0..<8 {
      for entry in facts where policy.decide(entry).action == .allow { allowed += 1 }
    }
    let elapsed = (ContinuousClock.now - start) / .nanoseconds(1)
    best = min(best, elapsed / Double(8 * facts.count))
  }
  return (best, allowed)
}

for rules in [10, 1000, 100_000] {
  let text = policyText(rules: rules)
  let clock = ContinuousClock()
  var document = PolicyDocument.parse([], dialect: .verityBPF)
  var compiled: CompiledPolicy?
  // The best of three: neighbours only ever add.
  var (parsing, compiling) = (Duration.seconds(3600), Duration.seconds(3600))
  for _ in 0..<3 {
    parsing = min(parsing, clock.measure { document = PolicyDocument.parse(text, dialect: .verityBPF) })
    compiling = min(compiling, try clock.measure { compiled = try CompiledPolicy(document) })
  }
  guard let policy = compiled else { continue }
  let hit = measure(policy, facts(rules: rules, known: true))
  let miss = measure(policy, facts(rules: rules, known: false))
  print(
    "{\"schema\":\"verity-bpf/policy-benchmark/1\",\"rules\":\(rules),\"parse_ms\":\(parsing / .milliseconds(1)),"
      + "\"compile_ms\":\(compiling / .milliseconds(1)),\"decide_hit_ns\":\(hit.nanoseconds),"
      + "\"decide_miss_ns\":\(miss.nanoseconds),\"hits\":\(hit.allowed),\"misses\":\(miss.allowed)}")
}

/// What was timed did not do its work.
struct WrongAnswer: Error { let kind: String }

// Two policies of 100,000 rules with one change, for each kind of rule that is found by what it asks for.
for (kind, ask) in [
  ("x_object", { "x_object=\(digest($0))" }), ("dmverity_roothash", { "dmverity_roothash=\(digest($0))" }),
  ("x_signer", { "x_signer=\(digest($0))" }), ("x_path", { "x_path=/progs/\($0).bpf.o" }),
  ("fsverity_digest", { "fsverity_digest=\(digest($0))" }),
  ("x_requester_path", { "x_requester_path=/usr/bin/\($0)" }), ("x_path patterns", { "x_path=/progs/\($0)/*.bpf.o" }),
] as [(String, (Int) -> String)] {
  func document(_ numbers: Range<Int>) -> PolicyDocument {
    var text = "policy_name=bench policy_version=1.0.0\nDEFAULT action=DENY\n"
    for number in numbers { text += "op=BPF_PROG_LOAD \(ask(number)) action=DENY\n" }
    return PolicyDocument.parse(
      Array("\(text)op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW\n".utf8), dialect: .verityBPF)
  }
  let (old, new) = (document(1..<100_001), document(0..<100_001))
  var diff: PolicyDiff?
  let time = try ContinuousClock().measure { diff = try PolicyDiff(old: old, new: new) }
  guard let diff, diff.isComplete, diff.changes.count == 1 else { throw WrongAnswer(kind: kind) }
  print(
    "{\"schema\":\"verity-bpf/policy-benchmark/1\",\"kind\":\"\(kind)\",\"diff_ms\":\(time / .milliseconds(1))}")
}

// A path among many patterns.
for count in [10, 10_000] {
  var text = "policy_name=bench policy_version=1.0.0\nDEFAULT action=DENY\n"
  for number in 0..<count { text += "op=BPF_PROG_LOAD x_path=/progs/\(number)/*.bpf.o action=ALLOW\n" }
  let policy = try CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
  let facts = (0..<512).map { number in
    var facts = Facts(operation: .bpfProgLoad)
    facts.path = "/progs/\(number % count)/agent.bpf.o"
    return facts
  }
  print(
    "{\"schema\":\"verity-bpf/policy-benchmark/1\",\"kind\":\"patterns-\(count)\","
      + "\"decide_ns\":\(measure(policy, facts).nanoseconds)}")
}

// A mebibyte of text that is no policy: everything must end in a result in less than a second.
struct Generator {
  var state: UInt64 = 7
  mutating func next(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(truncatingIfNeeded: (state >> 33) % UInt64(limit))
  }
}
var generator = Generator()
let size = 1 << 20
let words = [
  "op=EXECUTE ", "DEFAULT ", "action=ALLOW\n", "boot_verified=TRUE ", "x_prog_type=xdp,,", "a=b ", "\n", "#",
]
var mixed = Array("policy_name=a policy_version=1.0.0\n".utf8)
while mixed.count < size { mixed += words[generator.next(words.count)].utf8 }
var commas = Array("policy_name=a policy_version=1.0.0\nop=BPF_PROG_LOAD x_prog_type=".utf8)
commas += [UInt8](repeating: 0x2c, count: size)
let texts: [(String, [UInt8])] = [
  ("line feeds", [UInt8](repeating: 0x0a, count: size)), ("one word", [UInt8](repeating: 0x61, count: size)),
  ("random bytes", (0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next(256)) }), ("random words", mixed),
  ("one long list", commas),
]
for (name, text) in texts {
  for dialect in Dialect.allCases {
    var count = 0
    let time = ContinuousClock().measure {
      let document = PolicyDocument.parse(text, dialect: dialect)
      count = document.diagnostics.map { $0.rendered(file: "x", text: document.text) }.count
    }
    print(
      "{\"schema\":\"verity-bpf/policy-benchmark/1\",\"text\":\"\(name)\",\"dialect\":\"\(dialect.rawValue)\","
        + "\"bytes\":\(text.count),\"diagnostics\":\(count),\"parse_ms\":\(time / .milliseconds(1))}")
  }
}
