internal import Base
public import Policy

/// What test cases notice of changes to a policy.
///
/// A change that no case notices is compared with the policy over all facts that can be (``PolicyDiff``): either it changes
/// no decision, which is proved, or facts are found that it decides otherwise, which make the case that is missing.
public struct MutationRun: Sendable {
  /// Each change that was tried, in the order of the policy's lines.
  public private(set) var results: [Result] = []
  /// Whether there were more changes than were tried.
  public private(set) var isCut = false

  /// One change.
  public struct Result: Sendable {
    public let mutant: PolicyMutant
    public let outcome: Outcome
  }

  /// What came of one change.
  public enum Outcome: Sendable {
    /// Some case notices.
    case noticed
    /// No case notices, and there are facts that are decided otherwise.
    case unnoticed(Unnoticed)
    /// All facts that can be are decided as by the policy: no case could notice.
    case equivalent
    /// No case notices, and it would have taken too long to compare it with the policy.
    case undecided
  }

  /// A change that no case notices.
  public struct Unnoticed: Sendable {
    public let mutant: PolicyMutant
    /// Facts that are decided otherwise with the change, and what the policy decides about them.
    public let facts: Facts
    public let action: Action

    /// A case that would notice, as text of a file of cases.
    public var caseText: String {
      var words = ["op=\(facts.operation?.rawValue ?? "UNKNOWN")"]
      for name in PropertyName.allCases {
        if let text = facts.text(of: name) { words.append("\(name.factName)=\(text)") }
      }
      words += facts.notes.map { "\($0.name)=\($0.words.joined(separator: ","))" }
      let what = mutant.change == .removed ? "needs \(mutant.part)" : "\(mutant.part), not \(mutant.shownReplacement)"
      // A name ends at the next quote.
      let name = String("line \(mutant.line): \(what)".map { $0 == "\"" ? "'" : $0 })
      return "case \"\(name)\"\n  given \(words.joined(separator: " "))\n  expect \(action.rawValue)\n"
    }
  }

  /// Steps for one change, to find out what it means, and for all together; reading and compiling a byte takes so many.
  private static let effort = 2_000_000
  private static let wholeEffort = 600_000_000
  private static let stepsPerByte = 4

  /// - Parameters:
  ///   - cases: facts that the cases are about, each with what the case expects, which the policy does.
  ///   - effort: steps that are taken at most.
  init(
    _ document: PolicyDocument, _ policy: CompiledPolicy, _ extent: PolicyMutant.Extent,
    cases: [(facts: Facts, expectation: PolicyCases.Expectation)], effort: Int? = nil
  ) {
    let decisions = cases.map { policy.decide($0.facts) }
    var left = effort ?? Self.wholeEffort
    PolicyMutant.all(of: document, extent, met: cases.map { $0.facts }) { mutant, changed in
      left -= document.text.bytes.count * Self.stepsPerByte
      guard left > 0 else {
        isCut = true
        return false
      }
      guard let other = try? CompiledPolicy(changed) else { return true }
      let isNoticed = zip(cases, decisions).contains { example, decision in
        guard mutant.operation == nil || example.facts.operation == mutant.operation else { return false }
        return example.expectation.notices(other.decide(example.facts), insteadOf: decision)
      }
      let outcome = isNoticed ? Outcome.noticed : Self.outcome(mutant, document, changed, &left)
      results.append(Result(mutant: mutant, outcome: outcome))
      return true
    }
  }

  /// What a change means that no case notices.
  ///
  /// - Parameter left: the steps that are left, from which those that it takes are subtracted.
  private static func outcome(
    _ mutant: PolicyMutant, _ document: PolicyDocument, _ changed: PolicyDocument, _ left: inout Int
  ) -> Outcome {
    let effort = min(Self.effort, left)
    guard let diff = try? PolicyDiff(old: document, new: changed, effort: effort) else { return .undecided }
    left -= effort - max(0, diff.effortLeft)
    // The plainest is the best example.
    let plain = diff.changes.filter { $0.facts.doubts.isEmpty && $0.facts.doubtedSigners.isEmpty }
    if let change = plain.first ?? diff.changes.first {
      return .unnoticed(Unnoticed(mutant: mutant, facts: change.facts, action: change.before.action))
    }
    return diff.isComplete ? .equivalent : .undecided
  }

  // MARK: - Sums

  /// Changes in meaning that no case notices.
  public var unnoticed: [Unnoticed] {
    results.compactMap { result in
      if case .unnoticed(let one) = result.outcome { one } else { nil }
    }
  }
  /// Changes that are proved to be none in meaning.
  public var equivalent: [PolicyMutant] {
    results.compactMap { if case .equivalent = $0.outcome { $0.mutant } else { nil } }
  }
  /// How many changes some case notices.
  public var noticedCount: Int { results.count { if case .noticed = $0.outcome { true } else { false } } }
  /// How many could not be compared.
  public var undecidedCount: Int { results.count { if case .undecided = $0.outcome { true } else { false } } }

  /// Whether each change was tried, and found to be noticed, unnoticed or none.
  public var isComplete: Bool { undecidedCount == 0 && !isCut }
  /// How many changes there are that a case could notice, as far as is known.
  public var count: Int { results.count - equivalent.count }
  /// How many of a hundred of them the cases notice; none where none was tried of those that there are.
  public var coverage: Int { count == 0 ? (isCut ? 0 : 100) : noticedCount * 100 / count }
}

extension PolicyCases.Expectation {
  /// Whether a case that expects this fails by another decision than the one that it passes by.
  ///
  /// That the deciding rule has another text is no failure here: each change of a rule would be noticed, whatever it does.
  fileprivate func notices(_ found: Decision, insteadOf decision: Decision) -> Bool {
    if found.action != decision.action { return true }
    return switch reason {
    case .any: false
    case .line, .rule: found.line != decision.line
    case .fallback: !found.reason.isDefault
    }
  }
}

extension MutationRun.Unnoticed {
  /// The change, the case that is missing, and its facts and decision once more as values.
  var json: JSONValue {
    [
      "line": .integer(Int64(mutant.line)), "text": .string(mutant.text),
      "change": .string(mutant.change.rawValue), "part": .string(mutant.part),
      "replacement": .optional(mutant.replacement), "facts": facts.json,
      "decision": .string(action.rawValue.lowercased()), "case": .string(caseText),
    ]
  }
}
