public import Base
public import Policy

/// An explanation, and what it is about.
public struct ExplanationReport: Sendable {
  public let explanation: Explanation
  /// The program's name; nil where the facts are not an object's, or do not say it.
  public let program: String?
  /// Which of several sets of facts it is, from 1; nil for the only one.
  public let number: Int?

  /// - Parameter program: the program's name, where it is known.
  public init(_ explanation: Explanation, program: String? = nil, number: Int? = nil) {
    self.explanation = explanation
    self.program = program
    self.number = number
  }

  /// `verity-bpf/policy-explain/1`.
  public var json: JSONValue {
    var members = explanation.members
    if let program { members.append(.init("program", .string(program))) }
    if let number { members.append(.init("number", .integer(Int64(number)))) }
    return .object(members)
  }

  /// For people: the program, the facts, each rule with what became of its properties, and the decision.
  public var lines: [String] { (subject.map { [$0] } ?? []) + explanation.lines }

  /// For people, in one line: the decision and the deciding line's text.
  public var shortLine: String {
    let decision = explanation.decision
    let rule = decision.ruleText.isEmpty ? "" : ": \(decision.ruleText)"
    let permissive = decision.enforcing ? "" : " (permissive)"
    return (subject.map { "\($0): " } ?? "") + decision.summary + rule + permissive
  }

  /// Which program, or which set of facts, it speaks of; nil where there is one without a name.
  private var subject: String? {
    switch (program, number) {
    case (let program?, _): "program \(program)"
    case (nil, let number?): "facts \(number)"
    case (nil, nil): nil
    }
  }
}

extension Explanation {
  fileprivate var members: [JSONValue.Member] {
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/policy-explain/1"), .init("decision", .string(decision.action.rawValue.lowercased())),
    ]
    members += decision.jsonMembers + decision.unknownDenials.jsonMembers
    members.append(.init("facts", facts.json))
    members.append(.init("rules", .array(rules.map { $0.json })))
    return members
  }

  /// For people: the facts, each rule with what became of its properties, and the decision.
  fileprivate var lines: [String] {
    var lines = ["facts"]
    lines.append("  " + Self.column("op") + (facts.operation?.rawValue ?? "UNKNOWN"))
    for name in PropertyName.allCases where !name.isProgramDetail || facts.text(of: name) != nil {
      // What no rule asks for and nobody knows is left out; IPE's own facts are always there.
      guard let text = facts.text(of: name) ?? (isAsked(name) || name.isKernel ? "unknown" : nil) else { continue }
      lines.append("  " + Self.column(name.factName) + text)
    }
    for note in facts.notes { lines.append("  " + Self.column(note.name) + note.words.separated(by: ",")) }
    lines.append("rules of \(facts.operation?.rawValue ?? "UNKNOWN")")
    if rules.isEmpty { lines.append("  none") }
    for rule in rules {
      let mark = rule.matches ? (rule.isReached ? "✓" : "·") : "✗"
      let note = (rule.isWatched ? "   (only records)" : "") + (rule.isReached ? "" : "   (not reached)")
      lines.append("  \(mark) line \(rule.statement.line)  \(rule.statement.action.rawValue)\(note)")
      for property in rule.properties {
        let found =
          switch property.outcome {
          case .holds: ""
          case .fails: "   found \(property.found ?? "")"
          case .unknown:
            rule.statement.action == .deny && facts.operation == .bpfProgLoad
              ? "   not ruled out: not known, or some of it may be missing"
              : property.found.map { "   found \($0), which may be for want of evidence" } ?? "   not known"
          case .doubted: "   found \(property.found ?? "a signer"), in doubt: no rule allows by it"
          }
        lines.append("      \(property.outcome == .holds ? "✓" : "✗") \(property.property.canonicalText)\(found)")
      }
    }
    lines.append("decision  \(decision.summary)")
    if !decision.ruleText.isEmpty { lines.append("          \(decision.ruleText)") }
    lines += decision.unknownDenials.lines().map { "          \($0)" }
    if let watched = decision.watchedStatement {
      lines.append("          DENY at line \(watched.line) came before it, and only records")
    }
    if !decision.enforcing {
      let letting = decision.lettingStatement.map { ": by \($0.action.rawValue) at line \($0.line)" } ?? ""
      lines.append("          permissive: a denial is recorded, and the load goes on\(letting)")
    }
    return lines
  }

  private func isAsked(_ name: PropertyName) -> Bool {
    rules.contains { rule in rule.properties.contains { $0.property.name == name } }
  }

  private static func column(_ text: String) -> String {
    text + String(repeating: " ", count: max(1, 32 - text.count))
  }
}

extension PropertyName {
  fileprivate var isProgramDetail: Bool { !isKernel }
}

extension Explanation.RuleTrace {
  var json: JSONValue {
    [
      "line": .integer(Int64(statement.line)), "text": .string(statement.canonicalText),
      "action": .string(statement.action.rawValue), "matches": .bool(matches), "reached": .bool(isReached),
      "enforcing": .bool(!isWatched),
      "properties": .array(
        properties.map { property in
          [
            "name": .string(property.property.name.rawValue), "expected": .string(property.property.value.description),
            "found": .optional(property.found), "outcome": .string(property.outcome.rawValue),
          ]
        }),
    ]
  }
}
