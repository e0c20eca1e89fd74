/// Everything that is known about one property: an entry of the property table.
///
/// Parser, engine, lint, diff, replay, facts as JSON, the editors' grammar and completions and the reference in
/// `docs/policy-properties.md` read it from here, and from nowhere else. An entry is made when it is first asked for.
struct PropertyEntry: Sendable {
  /// How its values are written and compared with its fact.
  let form: any ValueForm
  /// What stands for the value in documentation, where the form does not say it well: `VERDICT`.
  var placeholder: String?
  /// The fact's own name in facts and test cases, where it is not the property's.
  var factName: String?
  /// Whether the parser of mainline Linux knows the property.
  var isKernel = false
  /// Whether it says something about a BPF program, so that no other operation can ever match it.
  var isAboutPrograms = false
  /// Whether its digest is one file's, and no volume's or person's: rules are best found by such.
  var isOfOneFile = false
  /// Whether it is about the volume or image that holds the object: while there is a doubt about that, no rule allows by it.
  var isAboutVolume = false
  /// What the fact looks like where the evidence for it is missing.
  let absence: FactAbsence
  /// Who finds out the fact.
  let producer: FactProducer
  /// What comes nearest among the properties with a producer, where this one has none.
  var substitute: PropertyName?
  /// Facts under which it fails all the same, but for a rule that speaks of expired signatures or denies.
  var isVoid: (@Sendable (borrowing Facts) -> Bool)?
  /// The option without which IPE never evaluates it (security/ipe/Kconfig, Documentation/admin-guide/LSM/ipe.rst).
  var ipeOption: String?
  /// The option without which the kernel never says what this value asks for, when a BPF program is judged here
  /// (drivers/md/Kconfig, fs/verity/Kconfig).
  var loaderOption: @Sendable (PropertyValue) -> String? = { _ in nil }
  /// What documentation says. A function, because a load has no use for it.
  let reference: @Sendable () -> PropertyReference
}

/// What documentation says about a property, and examples that are run by tests.
public struct PropertyReference: Sendable {
  /// One sentence: what the property asks for.
  public let summary: String
  /// More paragraphs in Markdown; empty when the sentence is all.
  public let details: String
  public let examples: [Example]

  init(_ summary: String, details: String = "", _ examples: Example...) {
    self.summary = summary
    self.details = details
    self.examples = examples
  }

  /// A policy, and what it decides.
  public struct Example: Sendable {
    /// The rules' properties; each rule allows.
    public let rules: [String]
    public let operation: Operation
    public let cases: [Case]

    init(_ rules: String..., operation: Operation = .bpfProgLoad, cases: [Case]) {
      self.rules = rules
      self.operation = operation
      self.cases = cases
    }

    /// The policy's text: name, default and rules, so that the first rule is in line 3.
    public var policy: String {
      let rules = rules.map { "op=\(operation.rawValue) \($0) action=ALLOW\n" }
      return "policy_name=example policy_version=1.0.0\nDEFAULT action=DENY\n" + rules.joined()
    }

    /// The test cases' text.
    public var caseText: String {
      cases.map { example in
        let facts = example.facts.isEmpty ? "" : " \(example.facts)"
        let expected = example.rule.map { "ALLOW at line \($0 + 3)" } ?? "DENY by DEFAULT"
        return "case \"\(example.name)\"\n  given op=\(operation.rawValue)\(facts)\n  expect \(expected)\n"
      }.joined()
    }
  }

  /// Facts, and what is decided about them.
  public struct Case: Sendable {
    public let name: String
    /// As `given` takes them.
    public let facts: String
    /// The rule that allows, counted from 0; nil for a denial.
    public let rule: Int?

    /// Allowed by a rule.
    static func allowed(_ name: String, _ facts: String, byRule rule: Int = 0) -> Case {
      Case(name: name, facts: facts, rule: rule)
    }
    /// Allowed by no rule.
    static func denied(_ name: String, _ facts: String) -> Case { Case(name: name, facts: facts, rule: nil) }
  }
}
