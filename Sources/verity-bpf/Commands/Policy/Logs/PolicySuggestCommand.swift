import Base
import Policy
import Workbench

struct PolicySuggestCommand: Command {
  static let auditLog: Key<[String]> = LogInput.option
  static let from: Key<String?> = .optional(
    "--from", takes: .file, "The policy that is to get the rules; without it, one that denies everything else.")
  static let name: Key<String> = .optional(
    "--name", takes: .word("NAME"), default: "suggested", "Without --from: the policy's name.")
  static let json = Key.flag("--json", "One object, with the policy, its rules and what has none.")

  static let declaration = Declaration(
    "Write the narrowest rules that would have allowed what logs say was denied.",
    discussion: """
      \(LogInput.discussion) Each rule names what identifies the object (root hash, fs-verity digest or signer, with the \
      object's digest and types), below a comment that cites its records. Denials of what has no identity are listed on \
      standard error with the reason; the exit code is 1 when there are any, and when lines could not be read. With --from \
      the rules stand where they take effect, and the policy's version stays. A log is no proof that something ought to be \
      allowed: who may write to it may ask for rules, so read each before it is signed.
      """,
    examples: [
      "verity-bpf policy suggest --audit-log /var/log/verity-bpf > suggested.pol",
      "verity-bpf policy suggest --audit-log audit.jsonl --from bpf.pol > new.pol",
    ],
    arguments: [], options: [auditLog, from, name, CommonOptions.dialect, json])
  static let schema = "verity-bpf/policy-suggest/1"

  let auditLog: [String]
  let from: String?
  let name: String
  let dialect: DialectName
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    auditLog = try words[Self.auditLog]
    from = try words[Self.from]
    name = try words[Self.name]
    dialect = try words[CommonOptions.dialect]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let base = try from.map { try PolicyFile.load($0, dialect.dialect) }
    let compiled = try base.map { try CompiledPolicy($0) }
    var suggestion = PolicySuggestion(base: compiled)
    // Replayed against anything, a record says whether it is a decision.
    var replay = Replay(policy: try compiled ?? CompiledPolicy(PolicyDocument.denyingAll))
    var counts = ReplayCounts()
    var faults = LogFaults()
    try LogInput(logs: auditLog).forEachItem { place, item in
      let entry = replay.replay(item, line: place.line)
      counts.count(entry)
      if case .damaged(_, let reason) = entry { faults.report(place, reason) }
      guard case .record(let origin, let record) = item else { return }
      suggestion.add(record, at: PolicySuggestion.Place(log: place.path, line: place.line, origin: origin))
    } atEnd: {
      counts.lines += $0
    }
    let policy =
      base.map { SuggestedPolicy($0, suggestion) } ?? SuggestedPolicy(name: name, suggestion: suggestion)
    let document = PolicyDocument.parse(policy.text, dialect: base?.dialect ?? .verityBPF)
    guard document.isValid else { throw InvalidPolicy(diagnostics: document.diagnostics) }
    let isWhole = suggestion.omissionList.isEmpty && policy.withoutEffect.isEmpty
    if json { try Output.json(answer(policy, suggestion, counts)) } else { try Output.bytes(policy.text) }
    for omission in suggestion.omissionList { Output.note(omission.line) }
    for rule in policy.withoutEffect {
      Output.note("no rule of this policy can allow it, whatever stands before: \(rule.text)")
    }
    Output.note(
      "\(counted(suggestion.denied, "denial")) in \(counted(counts.decisions, "decision")): "
        + "\(counted(policy.rules.count, "rule")), "
        + "\(suggestion.alreadyAllowed) allowed already, \(suggestion.omissionList.reduce(0) { $0 + $1.denials.count }) "
        + "without a rule")
    let status = try faults.status(
      decisions: counts.decisions + (counts.undecided[.refusal] ?? 0), records: counts.records, lines: counts.lines,
      auditLog)
    return isWhole ? status : Diagnostic.Category.incomplete.rawValue
  }

  private func answer(_ policy: SuggestedPolicy, _ suggestion: PolicySuggestion, _ counts: ReplayCounts) -> JSONValue {
    let noEffect = policy.withoutEffect.map { rule -> JSONValue in .string(rule.text) }
    return [
      "schema": .string(Self.schema), "policy": .string(String(decoding: policy.text, as: UTF8.self)),
      "rules": .array(policy.rules.map(\.json)), "without_rule": .array(suggestion.omissionList.map(\.json)),
      "without_effect": .array(noEffect),
      "counts": [
        "lines": .integer(Int64(counts.lines)), "records": .integer(Int64(counts.records)),
        "decisions": .integer(Int64(counts.decisions)), "denied": .integer(Int64(suggestion.denied)),
        "already_allowed": .integer(Int64(suggestion.alreadyAllowed)),
        "unreadable": .integer(Int64(counts.unreadable)),
      ],
    ]
  }
}

extension PolicyDocument {
  /// A policy that denies everything.
  fileprivate static var denyingAll: PolicyDocument {
    parse(Array("policy_name=none policy_version=1.0.0\nDEFAULT action=DENY\n".utf8), dialect: .verityBPF)
  }
}
