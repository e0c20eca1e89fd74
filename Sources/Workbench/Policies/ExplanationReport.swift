public import Base
public import Policy

extension Explanation {
  /// `verity-bpf/policy-explain/1`.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/policy-explain/1"), .init("decision", .string(decision.action.rawValue.lowercased())),
    ]
    members += decision.jsonMembers + decision.unknownDenials.jsonMembers
    members.append(.init("facts", facts.json))
    members.append(.init("rules", .array(rules.map { $0.json })))
    return .object(members)
  }

  /// For people: the facts, each rule with what became of its properties, and the decision.
  public var lines: [String] {
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
      let note = rule.isReached ? "" : "   (not reached)"
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
    if !decision.enforcing { lines.append("          permissive: a denial is recorded, and the load goes on") }
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
