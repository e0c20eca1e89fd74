internal import Policy

/// Two policies against each other, over all facts that can be.
struct PolicyComparison {
  private let old: PolicyDocument
  private let new: PolicyDocument
  /// Steps that may be taken yet.
  private(set) var effort: Int
  /// Whether every region of all facts was looked at.
  private(set) var isComplete = true

  /// Steps that a comparison takes at most: some seconds.
  static let usualEffort = 60_000_000
  /// Up to this many changed rules, each is looked at by itself, if that does not take too long with so many rules.
  private static let fewChanges = 4
  private static let fewSteps = 10_000

  init(old: PolicyDocument, new: PolicyDocument, effort: Int = usualEffort) {
    self.old = old
    self.new = new
    self.effort = effort
  }

  /// Hands out facts that are decided differently: some for each place at which the policies differ.
  ///
  /// - Parameter found: false ends the search among this operation's facts, with which it is not complete.
  mutating func run(_ found: (Facts) -> Bool) {
    withoutActuallyEscaping(found) { found in
      for operation in Operation.allCases { compare(operation, found) }
      let unknown = Facts(operation: nil)
      if Self.endsAllowing(old, nil) != Self.endsAllowing(new, nil), !found(unknown) { isComplete = false }
    }
  }

  private mutating func compare(_ operation: Operation, _ found: @escaping (Facts) -> Bool) {
    var questions = Questions()
    let oldRules = Self.rules(old, operation, &questions)
    let newRules = Self.rules(new, operation, &questions)
    let isStrict = operation == .bpfProgLoad
    for isKernelAlone in isStrict ? [false, true] : [false] {
      let one = Self.list(old, operation, oldRules, isKernelAlone: isKernelAlone)
      let other = Self.list(new, operation, newRules, isKernelAlone: isKernelAlone)
      if one == other { continue }
      for isDoubted in isStrict ? [false, true] : [false] {
        let scope = RuleSearch.Scope(operation: operation, isKernelAlone: isKernelAlone, isDoubted: isDoubted)
        search(one, other, questions, scope, found)
      }
    }
  }

  private mutating func search(
    _ old: RuleList, _ new: RuleList, _ questions: Questions, _ scope: RuleSearch.Scope,
    _ found: @escaping (Facts) -> Bool
  ) {
    var search = RuleSearch(questions, effort: effort, found: found)
    let changes = RuleChanges(old, new).changed
    let isFew =
      changes.count <= Self.fewChanges || changes.count * (old.rules.count + new.rules.count) <= Self.fewSteps
    if old.endsAllowing == new.endsAllowing, isFew {
      for rule in changes {
        var narrowed = scope
        narrowed.asserted = rule.questions
        search.run(old, new, in: narrowed)
      }
    } else {
      search.run(old, new, in: scope)
    }
    effort = search.effort
    isComplete = isComplete && search.isComplete
  }

  // MARK: - Policies as lists

  typealias Rules = [(rule: SymbolicRule, namesKernelAlone: Bool)]

  static func rules(_ document: PolicyDocument, _ operation: Operation, _ questions: inout Questions) -> Rules {
    var rules: Rules = []
    for statement in document.statements where statement.kind == .rule && statement.operation == operation {
      rules.append((questions.rule(statement), statement.namesKernelAlone))
    }
    return rules
  }

  /// The rules that count for such facts, with what is decided where none matches.
  static func list(
    _ document: PolicyDocument, _ operation: Operation, _ rules: Rules, isKernelAlone: Bool
  ) -> RuleList {
    let counting = isKernelAlone ? rules.filter { !$0.rule.allows || $0.namesKernelAlone } : rules
    return RuleList(
      counting.map { $0.rule }, endsAllowing: !isKernelAlone && Self.endsAllowing(document, operation))
  }

  /// What the default for the operation says.
  static func endsAllowing(_ document: PolicyDocument, _ operation: Operation?) -> Bool {
    let defaults = document.statements.filter { $0.kind == .fallback }
    let own = operation == nil ? nil : defaults.last { $0.operation == operation }
    return (own ?? defaults.last { $0.operation == nil })?.action == .allow
  }
}
