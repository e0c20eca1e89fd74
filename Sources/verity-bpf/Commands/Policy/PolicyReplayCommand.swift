import Base
import Policy
import Workbench

struct PolicyReplayCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy to try.")
  static let auditLog: Key<String> = .required("--audit-log", takes: .file, "The log; - is standard input.")
  static let recordedPolicy: Key<String?> = .optional(
    "--recorded-policy", takes: .file,
    "The policy that was active when the log was written; makes more decisions certain.")
  static let json = Key.flag("--json", "One object a record.")
  static let all = Key.flag("--all", "Show records whose decision stays the same, too.")

  static let declaration = Declaration(
    "Decide the records of an audit log again, by another policy.",
    discussion: """
      Takes logs of the kernel, of auditd and of the journal, and this program's own audit.jsonl. A kernel record does not \
      say all facts; a decision that hangs on what is missing is called unknown.
      """,
    examples: ["verity-bpf policy replay new.pol --audit-log /var/log/audit/audit.log"], arguments: [policy],
    options: [auditLog, recordedPolicy, CommonOptions.dialect, json, all])
  static let schema = "verity-bpf/policy-replay/1"

  let policy: String
  let auditLog: String
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
    let replay = Replay(policy: try CompiledPolicy(document), recordedUnder: before)
    var counts = (same: 0, changed: 0, open: 0, damaged: 0)
    let log = try PolicyFile.read(auditLog)
    for (index, line) in log.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      switch replay.replay(Array(line), line: index + 1) {
      case nil: continue
      case .damaged(let number, let reason)?:
        counts.damaged += 1
        Output.note("\(auditLog):\(number): warning[audit.damaged]: \(reason)")
        if json {
          try Output.json([
            "schema": .string(Self.schema), "line": .integer(Int64(number)),
            "error": ["code": "audit.damaged", "message": .string(reason)],
          ])
        }
      case .answer(let answer)?:
        switch answer.changes {
        case true?: counts.changed += 1
        case false?: counts.same += 1
        case nil: counts.open += 1
        }
        if json { try Output.json(answer.json) } else if all || answer.changes != false { try printForPeople(answer) }
      }
    }
    if !json {
      try Output.line(
        "\(counts.changed) would change, \(counts.same) stay, \(counts.open) cannot be told from the log, "
          + "\(counts.damaged) damaged lines")
    }
    return 0
  }

  private func printForPeople(_ answer: Replay.Answer) throws {
    let becomes =
      switch answer.replayed {
      case .some(let action): action == answer.recorded ? "stays \(action.rawValue)" : "becomes \(action.rawValue)"
      case nil: "unknown"
      }
    let rule = answer.rule.map { " (line \($0.line): \($0.canonicalText))" } ?? ""
    try Output.line(
      "\(auditLog):\(answer.line): \(answer.operation) \(answer.path ?? "?"): was \(answer.recorded.rawValue), \(becomes)\(rule)"
    )
  }
}
