public import Base
public import Policy

/// What changes in meaning from one policy to another: facts that were denied and are now allowed, or the other way.
///
/// A decision depends only on which rules match. So wherever two policies differ, they also differ on the least facts that
/// satisfy both deciding rules; these are tried for all pairs of rules (and defaults). The result is complete where
/// properties name one value; for lists, patterns and versions, which leave a choice, up to eight choices are tried.
///
/// A DENY rule about BPF programs also decides by what may be missing. Each set of facts is therefore tried where nothing
/// is missing, where anything may be, and in doubt (``ExampleWorld``), and each pair of an ALLOW and a DENY rule with
/// every part of what the DENY rule asks for missing.
public struct PolicyDiff: Sendable {
  public private(set) var changes: [Change] = []
  /// False when the policies have more pairs of rules than are tried.
  public private(set) var isComplete = true
  public let old: PolicyDocument.Header
  public let new: PolicyDocument.Header

  /// One difference, with the least facts that show it.
  public struct Change: Sendable {
    public let facts: Facts
    public let before: Decision
    public let after: Decision
  }

  private static let pairLimit = 1_000_000
  /// What DENY rules of either policy ask for that is there for want of evidence.
  private var absences: [PolicyDocument.Property] = []

  /// Compares two valid policies.
  ///
  /// - Parameter samples: facts that are compared besides the ones made from the rules.
  public init(
    old: PolicyDocument, new: PolicyDocument, samples: [Facts] = []
  ) throws(InvalidPolicy) {
    let before = try CompiledPolicy(old)
    let after = try CompiledPolicy(new)
    self.old = before.header
    self.new = after.header
    for statement in old.statements + new.statements
    where statement.operation == .bpfProgLoad && statement.action == .deny {
      absences += statement.properties.filter { $0.asksForAbsence && !absences.contains($0) }
    }
    var pairs = 0
    var seen: Set<[Int]> = []
    for facts in samples { compareAlone(facts, before, after, &seen) }
    for operation in Operation.allCases.map({ Optional($0) }) + [nil] {
      compare(Facts(operation: operation), before, after, &seen)
      guard let operation else { continue }
      let oldRules = Rules(old, operation)
      let newRules = Rules(new, operation)
      for (rules, others) in [(oldRules, newRules), (newRules, oldRules)] {
        for rule in rules.all {
          for facts in ExampleFacts.satisfying(rule.properties, operation: operation) {
            compare(facts, before, after, &seen)
          }
        }
        // Each pair once: the other policy's rules are the second of the pair in the first round only.
        guard rules === oldRules else { continue }
        for rule in rules.all {
          for other in others.opposed(to: rule) {
            pairs += 1
            guard pairs <= Self.pairLimit else {
              isComplete = false
              break
            }
            for facts in ExampleFacts.satisfying(rule.properties + other.properties, operation: operation) {
              compare(facts, before, after, &seen)
            }
            let parts = ExampleFacts.missing(rule, other)
            for facts in parts.facts.flatMap({ evident($0) }) { compareAlone(facts, before, after, &seen) }
            isComplete = isComplete && parts.isComplete
          }
          if !isComplete { break }
        }
      }
    }
  }

  private mutating func compare(
    _ facts: Facts, _ before: CompiledPolicy, _ after: CompiledPolicy, _ seen: inout Set<[Int]>
  ) {
    for facts in evident(facts) {
      for world in ExampleWorld.allCases {
        if let placed = world.place(facts) { compareAlone(placed, before, after, &seen) }
      }
    }
  }

  /// The facts, and where a rule denies by the absence of evidence, with each evidence that it fails by.
  private func evident(_ facts: Facts) -> [Facts] {
    guard facts.operation == .bpfProgLoad else { return [facts] }
    return absences.reduce([facts]) { all, property in
      all
        + all.flatMap { facts in
          property.name.facts(failing: property.value).compactMap { text in
            var facts = facts
            return (try? facts.set(property.name.rawValue, text)) == nil ? nil : facts
          }
        }
    }
  }

  private mutating func compareAlone(
    _ facts: Facts, _ before: CompiledPolicy, _ after: CompiledPolicy, _ seen: inout Set<[Int]>
  ) {
    let was = before.decide(facts)
    let becomes = after.decide(facts)
    guard was.action != becomes.action else { return }
    // One example for each pair of deciding lines.
    let operation = facts.operation.map { Operation.allCases.firstIndex(of: $0) ?? 0 } ?? -1
    guard seen.insert([operation, was.line ?? 0, becomes.line ?? 0]).inserted else { return }
    changes.append(Change(facts: facts, before: was, after: becomes))
  }

  /// The rules of one operation, found by their action and by what only one of them can be about.
  private final class Rules {
    let all: [PolicyDocument.Statement]
    private var byAction: [Action: Group] = [:]

    /// Rules of one action: by the property that names one digest or path, and by that, those without one apart.
    private struct Group {
      var all: [PolicyDocument.Statement] = []
      var open: [PolicyDocument.Statement] = []
      var byProperty: [PropertyName: [PropertyValue: [PolicyDocument.Statement]]] = [:]
    }

    init(_ document: PolicyDocument, _ operation: Operation) {
      all = document.statements.filter { $0.kind == .rule && $0.operation == operation }
      for rule in all {
        byAction[rule.action, default: Group()].all.append(rule)
        if let key = Self.key(rule) {
          byAction[rule.action, default: Group()].byProperty[key.name, default: [:]][key.value, default: []].append(
            rule)
        } else {
          byAction[rule.action, default: Group()].open.append(rule)
        }
      }
    }

    /// Rules of the other action that some facts can match together with this one: two that name different digests of one
    /// file cannot.
    func opposed(to rule: PolicyDocument.Statement) -> [PolicyDocument.Statement] {
      guard let group = byAction[rule.action == .allow ? .deny : .allow] else { return [] }
      guard let key = Self.key(rule) else { return group.all }
      var found = group.open
      for (name, rules) in group.byProperty {
        if name == key.name { found += rules[key.value] ?? [] } else { found += rules.values.joined() }
      }
      return found.sorted { $0.line < $1.line }
    }

    /// One file's digest or path before the volume's: of one volume there may be many rules.
    private static func key(_ rule: PolicyDocument.Statement) -> PolicyDocument.Property? {
      let keys = rule.properties.filter { $0.value.isExclusive(for: $0.name) }
      return keys.first { $0.name != .dmverityRoothash } ?? keys.first
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
    ]
  }
}
