public import Base
public import Policy

/// What changes in meaning from one policy to another: facts that were denied and are now allowed, or the other way, or whose
/// denial is now enforced or only recorded.
///
/// Every region of all facts that can be is looked at (``RuleSearch``), so that no change is a proof that there is none.
/// Changes are shown by facts of which nothing can be left out, one for each pair of deciding lines that is met.
public struct PolicyDiff: Sendable {
  public private(set) var changes: [Change] = []
  /// False when something was not looked at, because it would have taken too long, or when there are more changes than
  /// are listed.
  public private(set) var isComplete = true
  /// Steps that could still have been taken.
  let effortLeft: Int
  public let old: PolicyDocument.Header
  public let new: PolicyDocument.Header

  /// One difference, with the least facts that show it.
  public struct Change: Sendable {
    public let facts: Facts
    public let before: Decision
    public let after: Decision
  }

  /// How many changes of one operation and direction are listed.
  private static let listLimit = 500
  /// Facts are made as small as they can be for so many changes where a decision takes long.
  private static let slowChanges = 20
  private static let manyStatements = 5000

  /// Compares two valid policies.
  ///
  /// - Parameters:
  ///   - samples: facts that are compared besides, and shown as they are.
  ///   - effort: steps that are taken at most; tests of the bound take few.
  public init(
    old: PolicyDocument, new: PolicyDocument, samples: [Facts] = [], effort: Int? = nil
  ) throws(InvalidPolicy) {
    let before = try CompiledPolicy(old)
    let after = try CompiledPolicy(new)
    self.old = before.header
    self.new = after.header
    var findings = Findings(
      before: before, after: after, isSlow: old.statements.count + new.statements.count > Self.manyStatements)
    for facts in samples { findings.add(facts, isSample: true) }
    var comparison = PolicyComparison(old: old, new: new, effort: effort ?? PolicyComparison.usualEffort)
    comparison.run { findings.add($0, isSample: false) }
    changes = findings.changes
    effortLeft = comparison.effort
    isComplete = comparison.isComplete && !findings.isWrong
  }

  /// Changes as they are found.
  private struct Findings {
    let before: CompiledPolicy
    let after: CompiledPolicy
    let isSlow: Bool
    var changes: [Change] = []
    /// Whether facts were found that are no change after all, which would be a fault of the search.
    var isWrong = false
    private var seen: Set<[Int]> = []
    private var counts: [Operation?: [Action: Int]] = [:]

    init(before: CompiledPolicy, after: CompiledPolicy, isSlow: Bool) {
      self.before = before
      self.after = after
      self.isSlow = isSlow
    }

    /// False when no more changes of the operation are listed.
    @discardableResult
    mutating func add(_ found: Facts, isSample: Bool) -> Bool {
      let was = before.decide(found)
      let becomes = after.decide(found)
      guard was.outcome != becomes.outcome else {
        isWrong = isWrong || !isSample
        return true
      }
      let count = counts[found.operation]?[becomes.action] ?? 0
      guard count < PolicyDiff.listLimit else {
        return (counts[found.operation]?[was.action] ?? 0) < PolicyDiff.listLimit
      }
      // One example for each pair of deciding lines.
      let operation = found.operation.map { Operation.allCases.firstIndex(of: $0) ?? 0 } ?? -1
      let place = [operation, was.line ?? 0, becomes.line ?? 0, was.outcome.rawValue, becomes.outcome.rawValue]
      guard seen.insert(place).inserted else { return true }
      counts[found.operation, default: [:]][becomes.action] = count + 1
      var facts = found
      if !isSample, !isSlow || changes.count < PolicyDiff.slowChanges {
        facts = SmallestFacts.reduce(found) { fewer in
          let old = before.decide(fewer)
          guard old.outcome == was.outcome, old.line == was.line else { return false }
          let new = after.decide(fewer)
          return new.outcome == becomes.outcome && new.line == becomes.line
        }
      }
      changes.append(Change(facts: facts, before: before.decide(facts), after: after.decide(facts)))
      return true
    }
  }

  /// Whether nothing changes but perhaps name and version.
  public var isEmpty: Bool { changes.isEmpty && old.enforcing == new.enforcing }

  /// `verity-bpf/policy-diff/1`.
  public var json: JSONValue {
    [
      "schema": "verity-bpf/policy-diff/1",
      "old": [
        "name": .string(old.nameText), "version": .string(old.version.description), "enforcing": .bool(old.enforcing),
      ],
      "new": [
        "name": .string(new.nameText), "version": .string(new.version.description), "enforcing": .bool(new.enforcing),
      ],
      "complete": .bool(isComplete),
      "changes": .array(
        changes.map { change in
          [
            "facts": change.facts.json, "before": change.before.json, "after": change.after.json,
          ]
        }),
    ]
  }
}

extension Decision {
  /// What a decision means: allowed, denied, or denied on paper only.
  enum Outcome: Int {
    case allowed, refused, recorded
  }
  var outcome: Outcome { action == .allow ? .allowed : enforcing ? .refused : .recorded }

  /// The decision as a JSON object: `decision`, and the rule with its line, text and kind.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [.init("decision", .string(action.rawValue.lowercased()))]
    members += jsonMembers
    return .object(members)
  }

  /// What every answer about a decision says besides `decision`.
  public var jsonMembers: [JSONValue.Member] {
    [
      .init(
        "rule",
        .object([
          .init("line", line.map { .integer(Int64($0)) } ?? .null), .init("text", .string(ruleText)),
          .init("kind", .string(reason.rawValue)),
        ])),
      .init("enforcing", .bool(enforcing)),
    ] + enforcementMembers
  }

  /// `watched_rule`, the line that would have denied first and only records, and `let_by`, the line by which happens what a
  /// line denies that only records; each where there is one.
  public var enforcementMembers: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let watchedStatement { members.append(.init("watched_rule", watchedStatement.jsonPlace)) }
    if let lettingStatement { members.append(.init("let_by", lettingStatement.jsonPlace)) }
    return members
  }
}

extension PolicyDocument.Statement {
  /// Where it is, and its text.
  fileprivate var jsonPlace: JSONValue { ["line": .integer(Int64(line)), "text": .string(canonicalText)] }
}
