internal import Policy

/// Which rules of one operation ever decide, in all facts that can be.
///
/// A rule decides where it matches and no earlier one does. A DENY rule about BPF programs also decides where it is not known
/// to fail and a later line would allow, if no earlier one is in the way in the same manner. Rules that deny on paper only are in
/// the way of each other alone.
struct RuleReach {
  let rules: [PolicyDocument.Statement]
  private let document: PolicyDocument
  private let operation: Operation
  private let policy: CompiledPolicy
  private let enforcement: Enforcement
  private var questions = Questions()
  /// As rules count for those behind them, and as they decide themselves.
  private var loose: [SymbolicRule] = []
  private var certain: [SymbolicRule] = []
  /// Rules that name a digest of which there is one, by the first of these; and the rules that name none.
  private var byDigest: [PropertyKey: [Int]] = [:]
  private var withoutDigest: [Int] = []
  /// Steps that may be taken yet, for all rules.
  private var effort: Int

  /// What is found about a rule.
  enum Answer {
    /// Such facts are decided by it.
    case decides(Facts)
    /// It decides nothing: what these rules leave it no facts satisfy; none of them where no facts satisfy it at all. Nil where
    /// they are not known.
    case never(because: [Int]?)
    /// It would have taken too long.
    case unknown
  }

  /// Steps for a whole policy, and for one rule.
  static let usualEffort = 60_000_000
  private static let ruleEffort = 6_000_000
  /// Among so many earlier rules those are looked for that leave a rule nothing.
  private static let fewRules = 40

  init(_ document: PolicyDocument, _ policy: CompiledPolicy, _ operation: Operation, effort: Int = usualEffort) {
    self.document = document
    self.policy = policy
    self.operation = operation
    self.effort = effort
    enforcement = document.enforcement
    rules = document.statements.filter { $0.kind == .rule && $0.operation == operation }
    for (number, rule) in rules.enumerated() {
      loose.append(questions.rule(rule))
      certain.append(questions.rule(rule, certain: true))
      if let key = Self.digests(rule).first {
        byDigest[key, default: []].append(number)
      } else {
        withoutDigest.append(number)
      }
    }
  }

  private static func digests(_ rule: PolicyDocument.Statement) -> [PropertyKey] {
    rule.properties.compactMap { property in
      guard case .digest = property.value, property.value.isExclusive(for: property.name) else { return nil }
      return PropertyKey(name: property.name, value: property.value)
    }
  }

  /// Finds out about one rule.
  mutating func answer(_ number: Int) -> Answer {
    if let facts = plainly(number) { return .decides(facts) }
    let before = earlier(number)
    switch search(number, behind: before, all: Array(0..<number)) {
    case .facts(let facts): return .decides(facts)
    case .unknown: return .unknown
    case .none: break
    }
    if case .none = search(number, behind: [], all: []) { return .never(because: []) }
    return .never(because: cause(number, before))
  }

  /// The earlier rules that can be in the way: one about a digest is so only where the rule is about the same. (Another one is
  /// always left, of which no rule knows.)
  private func earlier(_ number: Int) -> [Int] {
    let own = Self.digests(rules[number])
    let same = own.flatMap { byDigest[$0] ?? [] }.filter { other in
      other < number && Self.digests(rules[other]).allSatisfy(own.contains)
    }
    return (Set(same).union(withoutDigest.prefix { $0 < number })).sorted()
  }

  /// Tries the plainest facts that satisfy it: most rules decide these, however many there are.
  private func plainly(_ number: Int) -> Facts? {
    for variants in [1, ExampleFacts.variantLimit] {
      let examples = ExampleFacts.satisfying(rules[number].properties, operation: operation, variants: variants)
      for facts in examples {
        for world in ExampleWorld.allCases {
          guard let placed = world.place(facts), placed.contradiction == nil else { continue }
          let decision = policy.decide(placed)
          let isByRule = decision.reason == .rule || decision.reason == .notRuledOut
          if isByRule, decision.line == rules[number].line { return placed }
        }
      }
    }
    return nil
  }

  private enum Finding {
    case facts(Facts)
    case none
    case unknown
  }

  /// Looks for facts that a rule decides behind others.
  ///
  /// - Parameters:
  ///   - before: the earlier rules that can match with it.
  ///   - all: the earlier rules among which it may also be the first that is not known to fail.
  private mutating func search(_ number: Int, behind before: [Int], all: [Int]) -> Finding {
    var result: Facts?
    var isComplete = true
    let isDenial = rules[number].action == .deny
    // What happens is decided as if the rules that only record were not there; these read the policy as it is written.
    let view = enforcement.watches(rules[number]) ? nil : enforcement
    for isKernelAlone in operation == .bpfProgLoad ? [false, true] : [false] {
      // Of what the kernel alone vouches for only some rules allow anything.
      func counts(_ other: Int) -> Bool {
        (!isKernelAlone || rules[other].action == .deny || rules[other].namesKernelAlone)
          && view?.watches(rules[other]) != true
      }
      guard counts(number) else { continue }
      var pairs: [(old: RuleList, new: RuleList, asserted: [Int32])] = []
      let blockers = before.filter(counts).map { other in
        // To a rule that denies, only what decides is in the way.
        SymbolicRule(
          questions: isDenial ? certain[other].questions : loose[other].questions, allows: false)
      }
      let own = SymbolicRule(questions: certain[number].questions, allows: true)
      pairs.append(
        (
          RuleList(blockers + [own], endsAllowing: false), RuleList([], endsAllowing: false), certain[number].questions
        ))
      if isDenial, operation == .bpfProgLoad {
        let first = all.filter(counts).map { loose[$0] }
        // Of the later ones, what decides if this one were not there; which of those that deny is not known does not count.
        let last = ((number + 1)..<max(number + 1, rules.count)).filter(counts).map { certain[$0] }
        let end =
          isKernelAlone
          ? view?.covers(operation) == false : PolicyComparison.endsAllowing(document, operation, view)
        pairs.append(
          (
            RuleList(first + [loose[number]] + last, endsAllowing: end), RuleList(first + last, endsAllowing: end),
            loose[number].questions
          ))
      }
      for pair in pairs {
        for isDoubted in operation == .bpfProgLoad ? [false, true] : [false] {
          var search = RuleSearch(questions, effort: min(effort, Self.ruleEffort)) { facts in
            result = facts
            return false
          }
          let before = search.effort
          search.run(
            pair.old, pair.new,
            in: RuleSearch.Scope(
              operation: operation, isKernelAlone: isKernelAlone, isDoubted: isDoubted, asserted: pair.asserted))
          effort -= before - search.effort
          if let result { return .facts(result) }
          isComplete = isComplete && search.isComplete
        }
      }
    }
    return isComplete ? .none : .unknown
  }

  // MARK: - What is in the way

  /// The fewest earlier rules that leave a rule nothing: one where there is such a one; nil where there are too many.
  private mutating func cause(_ number: Int, _ before: [Int]) -> [Int]? {
    for other in before.prefix(Self.fewRules * 10) {
      if case .none = search(number, behind: [other], all: [other]) { return [other] }
    }
    guard before.count <= Self.fewRules else { return nil }
    var left = before
    for other in before.reversed() {
      let fewer = left.filter { $0 != other }
      if case .none = search(number, behind: fewer, all: fewer) { left = fewer }
    }
    return left
  }

  /// Whether a rule would decide nothing behind another one alone.
  mutating func isCovered(_ number: Int, by other: Int) -> Bool {
    if case .none = search(number, behind: [other], all: [other]) { return true }
    return false
  }
}

/// A property as a key of dictionaries.
struct PropertyKey: Hashable {
  let name: PropertyName
  let value: PropertyValue
}
