public import Base

/// The DENY rules that came before the deciding line, and of which no property fails and something is not known.
///
/// About the kernel's own operations such a rule does not apply, as in IPE. About BPF programs it cannot be ruled out, so
/// no rule behind it and no default allows.
public struct UnknownDenials: Sendable, Equatable {
  /// In the order of their lines, the first ``limit`` at most.
  public let rules: [Rule]
  /// How many more there are, at least.
  public let omitted: Int

  /// How many rules are listed. A policy may revoke a hundred thousand root hashes, and none of those rules can be
  /// judged for an object that comes from no volume.
  public static let limit = 100

  /// None.
  public static let none = UnknownDenials(rules: [], omitted: 0)

  /// One rule that was passed over.
  public struct Rule: Sendable, Equatable {
    public let statement: PolicyDocument.Statement
    /// What is not known, in the rule's order.
    public let unknown: [PropertyName]
    /// The statement's place among all.
    let place: UInt32

    /// `DENY at line 5 is not ruled out: what it asks of x_signer is not known`; for the kernel's own operations that it
    /// did not apply.
    public var summary: String {
      let names = unknown.map { $0.rawValue }
      if statement.isStrict {
        return "DENY at line \(statement.line) is not ruled out: what it asks of \(names.joined(separator: ", ")) "
          + "is not known"
      }
      let verb = names.count == 1 ? "is" : "are"
      return "DENY at line \(statement.line) did not apply: \(names.joined(separator: ", ")) \(verb) not known"
    }
  }

  /// One line for each rule, and one for those that are not listed.
  ///
  /// - Parameter limit: how many rules are named.
  public func lines(limit: Int = Self.limit) -> [String] {
    let named = rules.prefix(limit).map { $0.summary }
    let more = rules.count - named.count + omitted
    return named + (more == 0 ? [] : ["the same is so of \(more) more DENY rules"])
  }

  /// What records and answers say: `unknown_deny_rules`, and `unknown_deny_rules_omitted` where some are not listed.
  public var jsonMembers: [JSONValue.Member] {
    let listed = rules.map { rule in
      JSONValue.object([
        .init("line", .integer(Int64(rule.statement.line))), .init("rule", .string(rule.statement.canonicalText)),
        .init("unknown", .array(rule.unknown.map { .string($0.rawValue) })),
      ])
    }
    return [.init("unknown_deny_rules", .array(listed))]
      + (omitted == 0 ? [] : [.init("unknown_deny_rules_omitted", .integer(Int64(omitted)))])
  }
}

extension Ruling {
  /// The rules that are not ruled out for any of the programs, each once.
  public var unknownDenials: UnknownDenials {
    let all = decisions.map { $0.unknownDenials }.filter { $0 != .none }
    guard let first = all.first, all.contains(where: { $0 != first }) else { return all.first ?? .none }
    var byLine: [Int: UnknownDenials.Rule] = [:]
    for rule in all.flatMap(\.rules) {
      let known = byLine[rule.statement.line]?.unknown ?? []
      byLine[rule.statement.line] = UnknownDenials.Rule(
        statement: rule.statement, unknown: known + rule.unknown.filter { !known.contains($0) }, place: rule.place)
    }
    return UnknownDenials(
      rules: byLine.values.sorted { $0.statement.line < $1.statement.line }, omitted: all.map(\.omitted).max() ?? 0)
  }
}

extension CompiledPolicy {
  /// Lists rules that are not known to fail.
  ///
  /// - Parameter places: the places of DENY rules among the policy's statements, in their order.
  func unknownDenials(at places: [UInt32], _ facts: borrowing Facts) -> UnknownDenials {
    if places.isEmpty { return .none }
    var rules: [UnknownDenials.Rule] = []
    for place in places.prefix(UnknownDenials.limit) {
      let statement = statements.all[Int(place)]
      var unknown: [PropertyName] = []
      for property in statement.properties
      where Condition(property, of: statement).outcome(facts) == .unknown && !unknown.contains(property.name) {
        unknown.append(property.name)
      }
      rules.append(UnknownDenials.Rule(statement: statement, unknown: unknown, place: place))
    }
    return UnknownDenials(rules: rules, omitted: places.count - rules.count)
  }
}
