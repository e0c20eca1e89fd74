import Base
import Policy
import Testing

/// What every entry of the property table promises, tried on its own examples.
@Suite struct PropertyTableTests {
  /// A property as the first rule of its first example asks for it.
  private static func property(_ name: PropertyName) throws -> PolicyDocument.Property {
    let example = try #require(name.reference.examples.first, "\(name.rawValue) has no example")
    let document = PolicyDocument.parse(Array(example.policy.utf8), dialect: .verityBPF)
    #expect(document.isValid, "\(document.diagnostics)")
    return try #require(document.statements.flatMap(\.properties).first { $0.name == name })
  }

  private static func facts(_ words: String, _ operation: PolicyOperation) throws -> Facts {
    var facts = Facts(operation: operation)
    for word in words.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      try facts.set(String(parts[0]), String(parts[1]))
    }
    return facts
  }

  /// What becomes of one property alone.
  private static func outcome(_ property: PolicyDocument.Property, _ facts: Facts) throws -> Outcome? {
    var facts = facts
    facts.operation = .bpfProgLoad
    let policy = try compile("DEFAULT action=DENY\nop=BPF_PROG_LOAD \(property.canonicalText) action=ALLOW")
    return policy.explain(facts).rules.first?.properties.first?.outcome
  }

  /// Every example decides as it says, and among them the property holds, and fails although it is known.
  @Test(arguments: PropertyName.allCases)
  func examplesAndCounterExamples(name: PropertyName) throws {
    let asked = try Self.property(name)
    var outcomes: [Outcome] = []
    for example in name.reference.examples {
      let document = PolicyDocument.parse(Array(example.policy.utf8), dialect: .verityBPF)
      #expect(document.formatted == Array(example.policy.utf8))
      let policy = try CompiledPolicy(document)
      for entry in example.cases {
        let facts = try Self.facts(entry.facts, example.operation)
        let decision = policy.decide(facts)
        #expect(decision.line == (entry.rule.map { $0 + 3 } ?? 2), "\(name.rawValue): \(entry.name)")
        outcomes += [try Self.outcome(asked, facts)].compactMap { $0 }
      }
    }
    #expect(outcomes.contains(.holds), "\(name.rawValue)")
    // Where every known fact satisfies the value, nothing can be a counter-example.
    #expect(outcomes.contains(.fails) || name.facts(failing: asked.value).isEmpty, "\(name.rawValue)")
    #expect(try Self.outcome(asked, Facts(operation: .bpfProgLoad)) == .unknown)
  }

  /// The text of a value comes back, and the kernel refuses what is not its own.
  @Test(arguments: PropertyName.allCases)
  func valuesAreReadAndWritten(name: PropertyName) throws {
    let asked = try Self.property(name)
    let text =
      "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(asked.canonicalText) action=DENY\n"
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    #expect(document.isValid && document.statements.last?.properties.first?.means(asked) == true)
    let kernel = PolicyDocument.parse(Array(text.replacing("BPF_PROG_LOAD", with: "EXECUTE").utf8), dialect: .kernel)
    #expect(kernel.isValid == name.isKernel)
    #expect(!name.notation.isEmpty && !name.valueHint.isEmpty)
    #expect(name.reference.summary.hasSuffix("."))
  }

  /// A fact is taken as text, and comes back through JSON.
  @Test(arguments: PropertyName.allCases)
  func factsComeBack(name: PropertyName) throws {
    let asked = try Self.property(name)
    let text = try #require(name.fact(satisfying: [asked.value], variant: 0))
    var facts = Facts(operation: .bpfProgLoad)
    #expect(facts.text(of: name) == nil)
    try facts.set(name.factName, text)
    #expect(facts.text(of: name) == text)
    #expect(throws: FactProblem.givenTwice) { try facts.set(name.rawValue, text) }
    #expect(Facts.names.contains(name.rawValue) && Facts.names.contains(name.factName))
    #expect(facts.json[name.factName] != nil)
    // A witness vouches for a root hash.
    if name == .witness { try facts.set("dmverity_roothash", "sha256:" + String(repeating: "0a", count: 32)) }
    #expect(try Facts.read(Array(facts.json.compact.utf8)) == [facts])
  }

  /// What is said to satisfy a value holds, and its complement is known and fails.
  @Test(arguments: PropertyName.allCases)
  func satisfyingAndFailingFacts(name: PropertyName) throws {
    let asked = try Self.property(name)
    for variant in 0..<8 {
      guard let text = name.fact(satisfying: [asked.value], variant: variant) else { continue }
      #expect(try Self.outcome(asked, Self.facts("\(name.factName)=\(text)", .bpfProgLoad)) == .holds, "\(text)")
    }
    #expect(name.fact(satisfying: [asked.value], variant: 0) != nil)
    let failing = name.facts(failing: asked.value)
    // Every example has a complement: none is satisfied by whatever is known.
    #expect(!failing.isEmpty)
    for text in failing {
      #expect(try Self.outcome(asked, Self.facts("\(name.factName)=\(text)", .bpfProgLoad)) == .fails, "\(text)")
    }
  }

  /// Values that stand beside the examples' in the tests of implication and exclusion.
  private static let more: [PropertyName: [String]] = [
    .bpfSignature: ["OK", "VERIFIED", "METADATA_VERIFIED", "UNSIGNED", "EXPIRED"], .bpfKeyring: ["USER", "BPF"],
    .witness: ["KERNEL", "USERSPACE", "BOTH"], .signatureSource: ["KERNEL", "BOTH"],
    .lockdown: ["NONE", "INTEGRITY", "CONFIDENTIALITY"], .programClass: ["RESTRICTED", "FULL"],
    .reads: ["NONE", "DECLARED", "UNDECLARED"], .path: ["/**", "/progs/*", "**"],
    .programType: ["xdp", "lsm", "xdp,lsm"],
    .helpers: ["ktime_get_ns", "map_lookup_elem,ktime_get_ns,loop"], .imageVersionMin: ["1", "1.4.0", "2.0.1"],
    .requesterUID: ["0", "0,7", "990"], .dmverityMode: ["EIO", "LOGGING", "EIO,RESTART"], .imageName: ["a", "b"],
    .dmveritySignature: ["TRUE", "FALSE"], .bpfKernel: ["TRUE", "FALSE"],
    .blocksVerified: ["TRUE", "FALSE"], .kernelExecute: ["TRUE", "FALSE"], .executed: ["TRUE", "FALSE"],
    .configured: ["TRUE", "FALSE"], .coreByLoader: ["TRUE", "FALSE"], .requesterSignature: ["TRUE", "FALSE"],
    .dynamic: ["TRUE", "FALSE"],
  ]

  /// A value that implies another holds nowhere but where the other does; two that exclude each other nowhere both.
  @Test(arguments: PropertyName.allCases)
  func implicationAndExclusion(name: PropertyName) throws {
    let texts = try [Self.property(name).value.description] + (Self.more[name] ?? [])
    let properties = try texts.map { text in
      let rule =
        "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(name.rawValue)=\(text) action=DENY"
      let document = PolicyDocument.parse(Array(rule.utf8), dialect: .verityBPF)
      return try #require(document.statements.last?.properties.first, "\(rule)")
    }
    // Everything that satisfies one of them or fails it.
    let facts = properties.flatMap { property in
      (0..<4).compactMap { name.fact(satisfying: [property.value], variant: $0) } + name.facts(failing: property.value)
    }
    for left in properties {
      #expect(left.implies(left) && !name.excludes(left.value, left.value))
      for right in properties {
        for text in facts {
          var known = try Self.facts("\(name.factName)=\(text)", .bpfProgLoad)
          known.settled = .all
          let (one, other) = (try Self.outcome(left, known), try Self.outcome(right, known))
          if left.implies(right), one == .holds { #expect(other == .holds, "\(left) \(right) \(text)") }
          if name.excludes(left.value, right.value), one == .holds {
            #expect(other == .fails, "\(left) \(right) \(text)")
          }
        }
        if let both = name.fact(satisfying: [left.value, right.value], variant: 0) {
          var known = try Self.facts("\(name.factName)=\(both)", .bpfProgLoad)
          known.settled = .all
          #expect(try Self.outcome(left, known) == .holds && Self.outcome(right, known) == .holds)
          #expect(!name.excludes(left.value, right.value))
        }
      }
    }
  }

  @Test func whatNothingFindsOutIsCounted() {
    #expect(
      PropertyName.allCases.filter { $0.producer == .none }.map(\.rawValue) == [
        "boot_verified"
      ])
    let constant = PropertyName.allCases.filter { if case .loading = $0.producer { true } else { false } }
    #expect(constant == [.bpfKernel])
    for name in PropertyName.allCases where name.producer == .none {
      #expect(name.substitute.map { $0.producer != .none } == true)
    }
  }
}

typealias PolicyOperation = Policy.Operation
