public import Base
public import Policy

/// An audit log against another policy: what it would have decided.
///
/// A record of the kernel says less than the kernel knew: the operation, and the rule that matched. From the rule its
/// properties are known to hold; everything else may or may not. So a decision can be certain or open, and an open
/// one says which lines it hangs on. This project's own JSON records carry all facts, and replay exactly.
public struct Replay: Sendable {
  private let policy: CompiledPolicy
  private let recordedUnder: PolicyDocument?
  /// What was said about rules before: a log of a million records has a few different ones.
  private var known: [KernelDecision: KernelAnswer] = [:]

  /// All of a kernel's record that a decision hangs on.
  private struct KernelDecision: Hashable {
    let operation: String
    let rule: String
    let hasFile: Bool
  }

  private enum KernelAnswer {
    case unreadable
    case decided(recorded: Action, replayed: Action?, rule: PolicyDocument.Statement?)
  }

  /// Answers that are kept.
  private static let knownLimit = 4096

  /// - Parameter recordedUnder: the policy that was active when the log was written. With it, rules before the
  ///   recorded one are known not to have matched.
  public init(policy: CompiledPolicy, recordedUnder: PolicyDocument? = nil) {
    self.policy = policy
    self.recordedUnder = recordedUnder
  }

  /// What one place of the log says.
  public enum Entry: Sendable {
    case answer(Answer)
    /// A load that no policy decided about: that it was asked for, or how it ended without a decision. There is nothing to
    /// decide again.
    case undecided(Undecided)
    /// Another record of IPE or of this program: of a policy that was loaded, of a load whose decision is a record of its own.
    case withoutDecision
    /// It looks like a record and cannot be read.
    case damaged(line: Int, reason: String)
  }

  /// A record of this program that holds no decision.
  public enum Undecided: String, CaseIterable, Sendable {
    /// The load was asked for; a decision may follow.
    case attempt
    /// It was refused before a policy decided.
    case refusal
    /// It ended before that otherwise: crashed, interrupted, not begun.
    case ending
  }

  /// What the policy says to one record.
  public struct Answer: Sendable {
    /// The record's line in the log.
    public let line: Int
    public let origin: RecordOrigin
    public let operation: String
    public let path: String?
    public let recordedRule: String
    public let recorded: Action
    /// What the shadow policy of that time said, `allow`, `deny` or `unusable`; nil where there was none.
    public let shadow: String?
    /// Nil when it hangs on what the record does not say.
    public let replayed: Action?
    /// The line that decides; for an open answer, the first that may.
    public let rule: PolicyDocument.Statement?

    /// Whether the decision is another one; nil when that is open.
    public var changes: Bool? { replayed.map { $0 != recorded } }

    /// Whether the shadow policy would have decided otherwise; nil where it decided nothing.
    public var shadowDiffers: Bool? {
      shadow.flatMap { Action(rawValue: $0.uppercased()) }.map { $0 != recorded }
    }
  }

  /// Replays what a log says in one place.
  public mutating func replay(_ item: LoggedItem, line: Int) -> Entry {
    switch item {
    case .unreadable(let reason): return .damaged(line: line, reason: reason)
    case .record(let origin, .own(let value)): return replay(value, origin, line)
    case .record(let origin, .text(.access(let record))): return replay(record, origin, line)
    case .record(_, .text(.refusal)): return .undecided(.refusal)
    case .record(_, .text(.attempt(let record))):
      switch record.stage {
      case .attempt: return .undecided(.attempt)
      case .crashed, .interrupted, .notBegun: return .undecided(.ending)
      }
    case .record(_, .text(.activation)), .record(_, .text(.load)), .record(_, .text(.status)),
      .record(_, .text(.signers)), .record(_, .text(.revocations)), .record(_, .withoutDecision):
      return .withoutDecision
    }
  }

  /// What a record of the kernel says about the facts; nil when its rule cannot be read.
  public static func facts(of record: AccessRecord, recordedUnder: PolicyDocument? = nil) -> Facts? {
    statement(record.rule).map { knowledge(of: record, $0, recordedUnder).facts }
  }

  /// The facts of a record of `audit.jsonl`, one for each program of the object; nil for one that is no decision.
  public static func facts(of record: JSONValue) -> [Facts]? {
    guard let facts = record["facts"], let programs = Facts.read(facts), !programs.isEmpty else { return nil }
    return programs
  }

  private static func knowledge(
    of record: AccessRecord, _ statement: PolicyDocument.Statement, _ recordedUnder: PolicyDocument?
  ) -> Knowledge {
    let operation = Operation(rawValue: record.operation)
    var knowledge = Knowledge(facts: Facts(operation: operation), recorded: statement.action)
    for property in statement.properties { knowledge.learn(property) }
    // Without a file behind it nothing is verified (security/ipe/eval.c).
    if record.file == nil, operation != .bpfProgLoad { knowledge.learnNoFile() }
    if let recordedUnder { knowledge.learnFailures(before: statement, in: recordedUnder) }
    return knowledge
  }

  private mutating func replay(_ record: AccessRecord, _ origin: RecordOrigin, _ line: Int) -> Entry {
    switch answer(to: record) {
    case .unreadable: .damaged(line: line, reason: "the record's rule cannot be read: \(record.rule)")
    case .decided(let recorded, let replayed, let rule):
      .answer(
        Answer(
          line: line, origin: origin, operation: record.operation,
          path: record.file?.path.map { String(decoding: $0, as: UTF8.self) }, recordedRule: record.rule,
          recorded: recorded, shadow: record.shadow?.decision, replayed: replayed, rule: rule))
    }
  }

  private mutating func answer(to record: AccessRecord) -> KernelAnswer {
    let key = KernelDecision(operation: record.operation, rule: record.rule, hasFile: record.file != nil)
    if let answer = known[key] { return answer }
    var answer = KernelAnswer.unreadable
    if let statement = Self.statement(record.rule) {
      let (action, rule) = decide(Self.knowledge(of: record, statement, recordedUnder))
      answer = .decided(recorded: statement.action, replayed: action, rule: rule)
    }
    if known.count >= Self.knownLimit { known = [:] }
    known[key] = answer
    return answer
  }

  /// Reads a rule in a record's words, in either dialect.
  static func statement(_ text: String) -> PolicyDocument.Statement? {
    let isGlobalDefault = text == "DEFAULT action=ALLOW" || text == "DEFAULT action=DENY"
    let header = "policy_name=r policy_version=0.0.0\n" + (isGlobalDefault ? "" : "DEFAULT action=DENY\n")
    for dialect in [Dialect.verityBPF, .kernel] {
      let document = PolicyDocument.parse(Array("\(header)\(text)\n".utf8), dialect: dialect)
      if document.isValid, let statement = document.statements.last { return statement }
    }
    return nil
  }

  // MARK: - Records of this project

  private func replay(_ value: JSONValue, _ origin: RecordOrigin, _ line: Int) -> Entry {
    switch StatedStage(of: value) {
    case .known(.attempt): return .undecided(.attempt)
    case .known(.outcome): return Self.undecidedOutcome(value).map { .undecided($0) } ?? .withoutDecision
    case .known(.decision): break
    // The kernel decided by rows, and knows no facts of objects.
    case .known(.gate): return .withoutDecision
    case .unknown(let stage):
      return .damaged(line: line, reason: "records of the stage `\(stage)` are not known to this version")
    case .missing: return .damaged(line: line, reason: "the record says no stage")
    }
    guard case .string(let word)? = value["decision"] else {
      return .damaged(line: line, reason: "the record says no decision")
    }
    guard let recorded = Action(rawValue: word.uppercased()) else {
      return .damaged(line: line, reason: "the record's decision is neither allow nor deny")
    }
    guard let programs = Self.facts(of: value) else {
      return .damaged(line: line, reason: "the record holds no facts")
    }
    let rule: String = if case .string(let text)? = value["rule"] { text } else { "" }
    let shadow: String? = if case .string(let text)? = value["shadow_decision"] { text } else { nil }
    let decisions = programs.map { policy.decide($0) }
    // An object is allowed when each of its programs is. What was recorded is what happened, so that a denial which only
    // records is none.
    let deciding = decisions.first { !$0.lets } ?? decisions.first { $0.action == .deny } ?? decisions[0]
    return .answer(
      Answer(
        line: line, origin: origin, operation: programs[0].operation?.rawValue ?? "UNKNOWN", path: programs[0].path,
        recordedRule: rule, recorded: recorded, shadow: shadow, replayed: deciding.lets ? .allow : .deny,
        rule: deciding.statement))
  }

  /// What an outcome says that has no decision; nil for one that has.
  private static func undecidedOutcome(_ record: JSONValue) -> Undecided? {
    guard case .string(let result)? = record["outcome"]?["result"] else { return nil }
    if result == "refused" { return .refusal }
    // One that ended like this may have been decided before, or not: its decision is a record of its own.
    return AttemptRecord.Stage(rawValue: result) == nil ? nil : .ending
  }

  // MARK: - Deciding with gaps

  private func decide(_ knowledge: Knowledge) -> (Action?, PolicyDocument.Statement?) {
    let explanation = policy.explain(knowledge.facts)
    var maybe: [PolicyDocument.Statement] = []
    var certain: PolicyDocument.Statement?
    for rule in explanation.rules {
      let outcomes = rule.properties.map { knowledge.outcome($0, of: rule.statement) }
      if outcomes.contains(.fails) { continue }
      if !outcomes.contains(.unknown) {
        certain = rule.statement
        break
      }
      maybe.append(rule.statement)
    }
    // Facts that no rule needs leave the policy's default.
    var nothing = Facts(operation: knowledge.facts.operation)
    nothing.settled = .all
    let fallback = policy.decide(nothing)
    let last = certain?.action ?? (fallback.reason == .rule ? nil : fallback.action)
    guard let last else { return (nil, maybe.first ?? certain) }
    guard maybe.allSatisfy({ $0.action == last }) else { return (nil, maybe.first) }
    return (last, maybe.first ?? certain ?? fallback.statement)
  }
}

/// What a record tells about the facts, positive and negative.
private struct Knowledge {
  var facts: Facts
  /// What the recorded rule says.
  private let recorded: Action
  /// Properties that failed, and the action of the rules that they failed in.
  private var failed: [(property: PolicyDocument.Property, action: Action)] = []
  private var absent: Set<PropertyName> = []

  init(facts: Facts, recorded: Action) {
    self.facts = facts
    self.recorded = recorded
  }

  /// A property is known to hold.
  mutating func learn(_ property: PolicyDocument.Property) {
    // Lists, patterns and bounds do not say which value it was.
    if property.determinesFact { try? facts.set(property.name.rawValue, property.value.description) }
  }

  mutating func learnNoFile() {
    for name in PropertyName.allCases where name.isKernel {
      if name.shape == .flag { try? facts.set(name.rawValue, "FALSE") } else { absent.insert(name) }
    }
  }

  /// Rules before the recorded one did not match. Where one asks for a single property, that one failed.
  mutating func learnFailures(before recorded: PolicyDocument.Statement, in policy: PolicyDocument) {
    for rule in policy.statements where rule.kind == .rule && rule.operation == facts.operation {
      if rule.means(recorded) { break }
      guard rule.properties.count == 1, let property = rule.properties.first else { continue }
      if case .flag = property.value, property.name.isKernel {
        // The kernel always knows its own flags, and what is not the one is the other.
        for other in property.name.facts(failing: property.value) { try? facts.set(property.name.rawValue, other) }
      } else {
        failed.append((property, rule.action))
      }
    }
  }

  /// - Parameter rule: the rule of the other policy that the property is of.
  func outcome(_ trace: Explanation.PropertyTrace, of rule: PolicyDocument.Statement) -> Outcome {
    // About BPF programs a DENY rule may be recorded that is merely not ruled out, or one whose facts are in doubt. Its
    // properties say nothing certain of rules that allow, and other values are not certain to fail.
    let isAlike =
      rule.operation != .bpfProgLoad || recorded == .allow || trace.property.name.isAlikeForAllRules
    switch trace.outcome {
    case .holds where isAlike || rule.action == .deny: return .holds
    case .fails where isAlike || rule.action == .allow: return .fails
    case .holds, .fails, .doubted: return .unknown
    case .unknown: break
    }
    if absent.contains(trace.property.name) { return .fails }
    // Whatever implies what failed has failed as well; but an ALLOW rule fails by less than a DENY rule.
    return failed.contains { failure in
      trace.property.implies(failure.property)
        && (failure.action == .deny || rule.action == .allow || rule.operation != .bpfProgLoad
          || failure.property.name.isAlikeForAllRules)
    } ? .fails : .unknown
  }
}
