/// How a decision came about, rule by rule.
public struct Explanation: Sendable {
  public let facts: Facts
  public let decision: Decision
  /// Every rule of the operation up to the deciding one, and the ones after it, in the policy's order.
  public let rules: [RuleTrace]

  /// One rule, and what became of each of its properties.
  public struct RuleTrace: Sendable {
    public let statement: PolicyDocument.Statement
    public let properties: [PropertyTrace]
    /// Whether all properties hold.
    public let matches: Bool
    /// Whether no earlier rule had decided already.
    public let isReached: Bool
    /// Whether it denies on paper only, so that the rules behind it decide what happens.
    public let isWatched: Bool
  }

  /// One property against its fact.
  public struct PropertyTrace: Sendable {
    public let property: PolicyDocument.Property
    public let outcome: Outcome
    /// The fact as text; nil when it is not known.
    public let found: String?
  }
}

extension CompiledPolicy {
  /// Decides, and tells about every rule of the operation. Takes time for each rule, unlike ``decide(_:)``.
  public func explain(_ facts: Facts) -> Explanation {
    let decision = decide(facts)
    var decided = false
    var rules: [Explanation.RuleTrace] = []
    for statement in statements.all where statement.kind == .rule && statement.operation == facts.operation {
      guard facts.operation != nil else { break }
      let properties = statement.properties.map { property in
        Explanation.PropertyTrace(
          property: property, outcome: Condition(property, of: statement).outcome(facts),
          found: facts.text(of: property.name))
      }
      let matches = properties.allSatisfy { $0.outcome == .holds } && statement.mayDecide(facts)
      rules.append(
        Explanation.RuleTrace(
          statement: statement, properties: properties, matches: matches, isReached: !decided,
          isWatched: enforcement.watches(statement)))
      decided = decided || matches && !enforcement.watches(statement)
    }
    return Explanation(facts: facts, decision: decision, rules: rules)
  }
}
