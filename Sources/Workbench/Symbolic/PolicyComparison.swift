internal import Policy

/// Two policies against each other, over all facts that can be.
///
/// Lines that deny and are not enforced are looked at twice: as they read, and as if they were not there, which is what
/// happens. What both views say of facts is all that a decision says.
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
      let differs = views.contains { Self.endsAllowing(old, nil, $0.old) != Self.endsAllowing(new, nil, $0.new) }
      if differs, !found(unknown) { isComplete = false }
    }
  }

  /// The view of what is written, and that of what happens where lines of a policy say something of that. What the headers
  /// alone say of it is compared as what it is.
  private var views: [(old: Enforcement?, new: Enforcement?)] {
    let (one, other) = (old.enforcement, new.enforcement)
    return [(nil, nil)] + (one.isStatedByLines || other.isStatedByLines ? [(one, other)] : [])
  }

  private mutating func compare(_ operation: Operation, _ found: @escaping (Facts) -> Bool) {
    for view in views { compare(operation, view.old, view.new, found) }
  }

  private mutating func compare(
    _ operation: Operation, _ oldView: Enforcement?, _ newView: Enforcement?, _ found: @escaping (Facts) -> Bool
  ) {
    var questions = Questions()
    let oldRules = Self.rules(old, operation, &questions)
    let newRules = Self.rules(new, operation, &questions)
    let isStrict = operation == .bpfProgLoad
    for isKernelAlone in isStrict ? [false, true] : [false] {
      let one = Self.list(old, operation, oldRules, oldView, isKernelAlone: isKernelAlone)
      let other = Self.list(new, operation, newRules, newView, isKernelAlone: isKernelAlone)
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

  typealias Rules = [(rule: SymbolicRule, statement: PolicyDocument.Statement)]

  static func rules(_ document: PolicyDocument, _ operation: Operation, _ questions: inout Questions) -> Rules {
    var rules: Rules = []
    for statement in document.statements where statement.kind == .rule && statement.operation == operation {
      rules.append((questions.rule(statement), statement))
    }
    return rules
  }

  /// The rules that count for such facts, with what is decided where none matches.
  ///
  /// - Parameter enforcement: which denials happen; nil for what is written, enforced or not.
  static func list(
    _ document: PolicyDocument, _ operation: Operation, _ rules: Rules, _ enforcement: Enforcement?,
    isKernelAlone: Bool
  ) -> RuleList {
    let counting = rules.filter { entry in
      let counts = !isKernelAlone || !entry.rule.allows || entry.statement.namesKernelAlone
      return counts && enforcement?.watches(entry.statement) != true
    }
    let endsAllowing =
      isKernelAlone ? enforcement?.covers(operation) == false : endsAllowing(document, operation, enforcement)
    return RuleList(counting.map { $0.rule }, endsAllowing: endsAllowing)
  }

  /// What the default for the operation says, or lets happen.
  static func endsAllowing(
    _ document: PolicyDocument, _ operation: Operation?, _ enforcement: Enforcement? = nil
  ) -> Bool {
    if enforcement?.covers(operation) == false { return true }
    let defaults = document.statements.filter { $0.kind == .fallback }
    let own = operation == nil ? nil : defaults.last { $0.operation == operation }
    return (own ?? defaults.last { $0.operation == nil })?.action == .allow
  }
}
