import Base
import Policy
import Workbench

struct PolicyReplayCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy to try.")
  static let auditLog: Key<[String]> = LogInput.option
  static let recordedPolicy: Key<String?> = .optional(
    "--recorded-policy", takes: .file,
    "The policy that was active when the log was written; makes more decisions certain.")
  static let json = Key.flag("--json", "One object a record.")
  static let all = Key.flag("--all", "Show records whose decision stays the same, too.")

  static let declaration = Declaration(
    "Decide the records of an audit log again, by another policy.",
    discussion: """
      \(LogInput.discussion) A kernel record does not say all facts; a decision that hangs on what is missing is called \
      unknown. A log without a decision is an error (exit code 1), and so are lines that look like records and cannot be read, \
      when the rest was decided.
      """,
    examples: ["verity-bpf policy replay new.pol --audit-log /var/log/audit/audit.log"], arguments: [policy],
    options: [auditLog, recordedPolicy, CommonOptions.dialect, json, all])
  static let schema = "verity-bpf/policy-replay/1"

  let policy: String
  let auditLog: [String]
  let recordedPolicy: String?
  let dialect: DialectName
  let json: Bool
  let all: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    auditLog = try words[Self.auditLog]
    recordedPolicy = try words[Self.recordedPolicy]
    dialect = try words[CommonOptions.dialect]
    json = try words[Self.json]
    all = try words[Self.all]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let document = try PolicyFile.load(policy, dialect.dialect)
    let before = try recordedPolicy.map { try PolicyFile.load($0, dialect.dialect) }
    var replay = Replay(policy: try CompiledPolicy(document), recordedUnder: before)
    var counts = ReplayCounts()
    var faults = LogFaults()
    try LogInput(logs: auditLog).forEachItem { place, item in
      let entry = replay.replay(item, line: place.line)
      counts.count(entry)
      switch entry {
      case .withoutDecision: break
      case .undecided(let kind):
        if json, all {
          try Output.json([
            "schema": .string(Self.schema), "log": .string(place.path), "line": .integer(Int64(place.line)),
            "undecided": .string(kind.rawValue),
          ])
        }
      case .damaged(_, let reason):
        faults.report(place, reason)
        if json {
          try Output.json([
            "schema": .string(Self.schema), "log": .string(place.path), "line": .integer(Int64(place.line)),
            "error": ["code": "audit.damaged", "message": .string(reason)],
          ])
        }
      case .answer(let answer):
        if json {
          try Output.json(answer.json(log: place.path))
        } else if all || answer.changes != false {
          try printForPeople(answer, at: place)
        }
      }
    } atEnd: {
      counts.lines += $0
    }
    if json { try Output.json(counts.json) } else { try printSummary(counts) }
    return try faults.status(decisions: counts.decisions, records: counts.records, lines: counts.lines, auditLog)
  }

  private func printSummary(_ counts: ReplayCounts) throws {
    try Output.line("\(counts.records) records read in \(counts.lines) lines, \(counts.decisions) of them decisions")
    try Output.line(
      "\(counts.changed) would change, \(counts.same) stay, \(counts.open) cannot be told from the log, "
        + "\(counts.unreadable) damaged lines")
    if counts.shadowed > 0 {
      try Output.line("the shadow policy decided \(counts.shadowDiffers) of \(counts.shadowed) otherwise")
    }
    for kind in Replay.Undecided.allCases {
      if let count = counts.undecided[kind] { try Output.line("without a decision: \(count) \(kind.words(count))") }
    }
    if counts.others > 0 {
      try Output.line("without a decision: \(counts.others) others, of policies or of what came of a decision")
    }
  }

  private func printForPeople(_ answer: Replay.Answer, at place: LogInput.Place) throws {
    let becomes =
      switch answer.replayed {
      case .some(let action): action == answer.recorded ? "stays \(action.rawValue)" : "becomes \(action.rawValue)"
      case nil: "unknown"
      }
    let rule = answer.rule.map { " (line \($0.line): \($0.canonicalText))" } ?? ""
    let event = answer.origin.event.map { " (event \($0))" } ?? ""
    let time = answer.origin.time.map { " at \($0)" } ?? ""
    try Output.line(
      "\(place.path):\(place.line): \(answer.operation) \(answer.path ?? "?")\(time)\(event): "
        + "was \(answer.recorded.rawValue), \(becomes)\(rule)")
  }
}

extension Replay.Undecided {
  /// What so many of them are.
  fileprivate func words(_ count: Int) -> String {
    switch self {
    case .attempt: "attempt\(count == 1 ? "" : "s"), each with its decision or end elsewhere"
    case .refusal: "refusal\(count == 1 ? "" : "s") before a policy decided"
    case .ending: "load\(count == 1 ? "" : "s") that crashed, \(count == 1 ? "was" : "were") interrupted or not begun"
    }
  }
}
