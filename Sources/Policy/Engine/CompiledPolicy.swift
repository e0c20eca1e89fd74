/// A valid policy, ready to decide. Deciding takes the same time with ten digest rules as with a hundred thousand.
public struct CompiledPolicy: Sendable {
  public let header: PolicyDocument.Header
  public let dialect: Dialect
  let statements: Statements
  let enforcement: Enforcement
  private let operations: [OperationRules]
  /// The same without the rules that deny on paper only, for each operation that has such rules.
  private let enforcedOperations: [Operation: OperationRules]
  private let globalFallback: UInt32?

  /// The policy's lines, shared with every decision.
  final class Statements: Sendable {
    let all: [PolicyDocument.Statement]
    init(_ all: [PolicyDocument.Statement]) { self.all = all }
  }

  /// Compiles a policy.
  ///
  /// - Throws: ``InvalidPolicy`` when the document has errors; there is no way to use such a policy.
  public init(_ document: PolicyDocument) throws(InvalidPolicy) {
    guard document.isValid, let header = document.header else {
      throw InvalidPolicy(diagnostics: document.diagnostics)
    }
    self.header = header
    dialect = document.dialect
    statements = Statements(document.statements)
    var rules = [[(place: Int, statement: PolicyDocument.Statement)]](repeating: [], count: Operation.allCases.count)
    var fallbacks = [UInt32?](repeating: nil, count: Operation.allCases.count)
    var global: UInt32?
    for (place, statement) in document.statements.enumerated() {
      switch (statement.kind, statement.operation) {
      case (.rule, let operation?): rules[operation.ordinal].append((place, statement))
      case (.rule, nil): break
      case (.fallback, let operation?): fallbacks[operation.ordinal] = UInt32(clamping: place)
      case (.fallback, nil): global = UInt32(clamping: place)
      }
    }
    globalFallback = global
    let enforcement = document.enforcement
    self.enforcement = enforcement
    var enforced: [Operation: OperationRules] = [:]
    for operation in Operation.allCases {
      let left = rules[operation.ordinal].filter { !enforcement.watches($0.statement) }
      guard left.count < rules[operation.ordinal].count else { continue }
      enforced[operation] = OperationRules(rules: left)
      enforced[operation]?.fallback = fallbacks[operation.ordinal]
    }
    enforcedOperations = enforced
    operations = zip(rules, fallbacks).map { rules, fallback in
      var table = OperationRules(rules: rules)
      table.fallback = fallback
      return table
    }
  }

  /// Decides: the first rule that matches, else the operation's default, else the default for all, else DENY.
  ///
  /// A DENY rule about BPF programs that is not known to fail stands in the way of every ALLOW behind it: it may be that
  /// only what was left out keeps it from matching.
  ///
  /// A denial that is not enforced lets nothing happen by itself: what is refused is decided as if such rules were not
  /// there, so that adding one never makes an ALLOW of a DENY.
  public func decide(_ facts: borrowing Facts) -> Decision {
    let stated = decide(facts, enforcedOnly: false)
    guard stated.action == .deny, !isEnforced(facts.operation) else { return stated }
    let enforced = decide(facts, enforcedOnly: true)
    return enforced.action == .deny ? enforced.passing(stated) : stated.unenforced(enforced)
  }

  /// Whether every denial of an operation is enforced.
  private func isEnforced(_ operation: Operation?) -> Bool {
    enforcement.covers(operation) && operation.flatMap { enforcedOperations[$0] } == nil
  }

  private func decide(_ facts: borrowing Facts, enforcedOnly: Bool) -> Decision {
    if facts.isKernelAlone { return decideOnKernelAlone(facts, enforcedOnly: enforcedOnly) }
    let letsDefaults = enforcedOnly && !enforcement.covers(facts.operation)
    var unknown = UnknownDenials.none
    if let operation = facts.operation {
      let table = (enforcedOnly ? enforcedOperations[operation] : nil) ?? operations[operation.ordinal]
      let answer = table.answer(facts)
      unknown = unknownDenials(at: answer.unknownDenials, facts)
      if let match = answer.match { return decision(facts, match.action, .rule, match.statement, unknown) }
      if let fallback = table.fallback {
        let action = letsDefaults ? .allow : statements.all[Int(fallback)].action
        return decision(facts, action, .operationDefault, fallback, unknown)
      }
    }
    if let globalFallback {
      let action = letsDefaults ? .allow : statements.all[Int(globalFallback)].action
      return decision(facts, action, .globalDefault, globalFallback, unknown)
    }
    return decision(facts, letsDefaults ? .allow : .deny, .noDefault, nil, unknown)
  }

  /// Whether the policy itself denies what no rule with a condition is about: by a rule without one, or by a default.
  public func deniesByDefault(_ operation: Operation) -> Bool {
    let last = statements.all.first {
      $0.kind == .rule && $0.operation == operation && $0.properties.isEmpty
    }
    if let last { return last.action == .deny }
    guard let place = operations[operation.ordinal].fallback ?? globalFallback else { return false }
    return statements.all[Int(place)].action == .deny
  }

  /// Whether a rule about BPF programs asks for one of these properties.
  public func asksFor(_ names: Set<PropertyName>) -> Bool {
    statements.all.contains { statement in
      statement.operation == .bpfProgLoad && statement.properties.contains { names.contains($0.name) }
    }
  }

  /// A decision as if it were enforced, or as its operation is.
  func decision(
    _ facts: borrowing Facts, _ action: Action, _ reason: Decision.Reason, _ place: UInt32?,
    _ unknownDenials: UnknownDenials
  ) -> Decision {
    let blocking = action == .allow ? unknownDenials.rules.first { $0.statement.isStrict } : nil
    if let blocking {
      return Decision(
        action: .deny, enforcing: true, reason: .notRuledOut, statements: statements,
        place: blocking.place, unknownDenials: unknownDenials)
    }
    return Decision(
      action: action, enforcing: action == .deny || enforcement.covers(facts.operation), reason: reason,
      statements: statements, place: place,
      unknownDenials: unknownDenials)
  }

  /// The first ALLOW rule about BPF programs that only a doubt keeps from matching; nil when there is none. Takes time for
  /// each rule: it is for the words of a denial.
  public func doubtedRule(_ facts: Facts) -> PolicyDocument.Statement? {
    guard !facts.doubts.isEmpty || !facts.doubtedSigners.isEmpty else { return nil }
    return statements.all.first { statement in
      statement.kind == .rule && statement.action == .allow && statement.operation == facts.operation
        && statement.mayDecide(facts) && statement.outcome(facts) == .doubted
    }
  }
}

extension Operation {
  /// The operation's place among all of them.
  var ordinal: Int {
    switch self {
    case .execute: 0
    case .firmware: 1
    case .kmodule: 2
    case .kexecImage: 3
    case .kexecInitramfs: 4
    case .policy: 5
    case .x509Cert: 6
    case .bpfProgLoad: 7
    }
  }
}
