import Admission
import Base
import Linux
import Policy
import Workbench

struct PolicyReplayCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy to try.")
  static let auditLog: Key<String> = .required(
    "--audit-log", takes: .file, "The log, plain or compressed; - is standard input, a directory all files of its log.")
  static let recordedPolicy: Key<String?> = .optional(
    "--recorded-policy", takes: .file,
    "The policy that was active when the log was written; makes more decisions certain.")
  static let json = Key.flag("--json", "One object a record.")
  static let all = Key.flag("--all", "Show records whose decision stays the same, too.")

  static let declaration = Declaration(
    "Decide the records of an audit log again, by another policy.",
    discussion: """
      Takes logs of the kernel, of auditd and of the journal, and this program's own audit.jsonl, also when gzip or zstd \
      compressed them. Of a directory, audit.jsonl and what rotation has made of it are one log, the oldest file first. A \
      kernel record does not say all facts; a decision that hangs on what is missing is called unknown.
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
    var undecided: [Replay.Undecided: Int] = [:]
    try forEachLine { number, line in
      let entry: Replay.Entry? =
        switch line {
        case .line(let bytes): replay.replay(bytes, line: number)
        case .tooLong: .damaged(line: number, reason: "the line has more than \(TextLine.limit) bytes")
        }
      switch entry {
      case nil: return
      case .undecided(let kind)?:
        undecided[kind, default: 0] += 1
        if json, all {
          try Output.json([
            "schema": .string(Self.schema), "line": .integer(Int64(number)), "undecided": .string(kind.rawValue),
          ])
        }
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
      for kind in Replay.Undecided.allCases {
        if let count = undecided[kind] { try Output.line("without a decision: \(count) \(kind.words(count))") }
      }
    }
    return 0
  }

  /// Goes through the log, whatever its size, in memory of one line.
  private func forEachLine(_ visit: (_ number: Int, TextLine) throws -> Void) throws {
    do {
      var number = 0
      for file in try files() {
        var lines = try LogLines(file)
        while let line = try lines.next() {
          number += 1
          try visit(number, line)
        }
      }
    } catch AuditReadError.unreadable(_, let error) {
      throw error
    }
  }

  private func files() throws(AuditReadError) -> [String] {
    guard auditLog != "-", let kind = try? FileStatus.of(path: auditLog).kind, kind == .directory else {
      return [auditLog]
    }
    return try AuditLogFiles.list(auditLog).oldestFirst
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
