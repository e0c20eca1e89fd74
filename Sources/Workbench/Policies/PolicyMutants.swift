public import Policy

/// A policy with one part left out: what cases have to notice, if they are to show that the part is needed.
public struct PolicyMutant: Sendable {
  /// The statement that lost a part, as it was.
  public let statement: PolicyDocument.Statement
  /// What is left out: a condition as policy text, `sched_cls of x_prog_type`, or the rule.
  public let part: String
  /// The policy without it, with every statement in the line that it had.
  let document: PolicyDocument
  /// Which condition of the statement it is; nil for the rule as a whole.
  let property: Int?

  /// Every policy that lacks one rule, one condition, or one member of a list. What cannot be left out because the rest would
  /// be no policy is not among them.
  ///
  /// - Parameter limit: how many are made at most.
  static func all(of document: PolicyDocument, limit: Int) -> [PolicyMutant] {
    var mutants: [PolicyMutant] = []
    for statement in document.statements where statement.kind == .rule {
      for cut in cuts(of: statement) {
        guard mutants.count < limit else { return mutants }
        var bytes = document.text.bytes
        bytes.replaceSubrange(cut.range.indices, with: Array(cut.replacement.utf8))
        let mutant = PolicyDocument.parse(bytes, dialect: document.dialect)
        guard mutant.isValid else { continue }
        mutants.append(
          PolicyMutant(statement: statement, part: cut.part, document: mutant, property: cut.property))
      }
    }
    return mutants
  }

  private struct Cut {
    let range: SourceRange
    var replacement = ""
    let part: String
    var property: Int?
  }

  private static func cuts(of statement: PolicyDocument.Statement) -> [Cut] {
    var cuts = [Cut(range: statement.range, part: "the rule")]
    for (place, property) in statement.properties.enumerated() {
      cuts.append(Cut(range: property.range, part: property.canonicalText, property: place))
      let words: [String] =
        switch property.value {
        case .words(let words): words
        case .numbers(let numbers): numbers.map { String($0) }
        case .flag, .digest, .word, .pattern, .text, .version: []
        }
      guard words.count > 1 else { continue }
      for word in words.indices {
        let rest = words.indices.filter { $0 != word }.map { words[$0] }
        cuts.append(
          Cut(
            range: property.range, replacement: "\(property.name.rawValue)=\(rest.joined(separator: ","))",
            part: "\(words[word]) of \(property.name.rawValue)", property: place))
      }
    }
    return cuts
  }
}

/// Which parts of a policy its test cases show to be needed.
public struct MutationRun: Sendable {
  /// Parts that can be left out without a case noticing, and with a change in meaning.
  public private(set) var unnoticed: [Unnoticed] = []
  /// How many parts change the meaning when they are left out.
  public private(set) var count = 0
  /// False when the policy has more parts than are tried, or for some it would have taken too long to find out what they
  /// change.
  public private(set) var isComplete = true

  public struct Unnoticed: Sendable {
    public let mutant: PolicyMutant
    /// Facts that are decided otherwise without the part, and what is decided with it.
    public let facts: Facts
    public let action: Action

    /// A case that would notice, as text of a file of cases.
    public var caseText: String {
      var words = ["op=\(facts.operation?.rawValue ?? "UNKNOWN")"]
      for name in PropertyName.allCases {
        if let text = facts.text(of: name) { words.append("\(name.factName)=\(text)") }
      }
      words += facts.notes.map { "\($0.name)=\($0.words.joined(separator: ","))" }
      return "case \"line \(mutant.statement.line) needs \(mutant.part)\"\n"
        + "  given \(words.joined(separator: " "))\n  expect \(action.rawValue)\n"
    }
  }

  /// Parts that are tried at most, and steps for each to find out what it changes.
  private static let partLimit = 2000
  private static let effort = 2_000_000

  /// - Parameter cases: facts that the cases are about, each with whether it also expects a line.
  init(_ document: PolicyDocument, _ policy: CompiledPolicy, cases: [(facts: Facts, expectsLine: Bool)]) {
    let mutants = PolicyMutant.all(of: document, limit: Self.partLimit + 1)
    isComplete = mutants.count <= Self.partLimit
    let decisions = cases.map { policy.decide($0.facts) }
    for mutant in mutants.prefix(Self.partLimit) {
      guard let other = try? CompiledPolicy(mutant.document) else { continue }
      let isNoticed = zip(cases, decisions).contains { example, decision in
        guard example.facts.operation == mutant.statement.operation else { return false }
        let found = other.decide(example.facts)
        return found.action != decision.action
          || example.expectsLine && (found.line != decision.line || found.reason != decision.reason)
      }
      if isNoticed {
        count += 1
        continue
      }
      guard let diff = try? PolicyDiff(old: document, new: mutant.document, effort: Self.effort) else { continue }
      isComplete = isComplete && (diff.isComplete || !diff.changes.isEmpty)
      // What is left out without a change in meaning no case can notice.
      let plain = diff.changes.filter { $0.facts.doubts.isEmpty && $0.facts.doubtedSigners.isEmpty }
      guard let change = plain.first ?? diff.changes.first else { continue }
      count += 1
      unnoticed.append(Unnoticed(mutant: mutant, facts: change.facts, action: change.before.action))
    }
  }

  /// How many of a hundred parts the cases show to be needed.
  public var coverage: Int { count == 0 ? 100 : (count - unnoticed.count) * 100 / count }
}
