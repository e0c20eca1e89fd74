import Base
import Policy
import Workbench

struct PolicyDiffCommand: Command {
  static let old: Key<String> = .required("OLD", takes: .file, "The policy as it was.")
  static let new: Key<String> = .required("NEW", takes: .file, "The policy as it will be.")
  static let facts: Key<[String]> = .repeated(
    "--facts", takes: .file, "Facts to compare besides those made from the rules; may be repeated.")
  static let exitCode = Key.flag("--exit-code", "Exit 1 when something changes.")
  static let json = Key.flag("--json", "One object with all changes.")

  static let declaration = Declaration(
    "Say what changes in meaning from one policy to another.",
    discussion:
      "Each change is shown by the least facts that are decided otherwise. --exit-code exits 1 when there is one. `no change in meaning` is said only where all facts that can be were looked at; where that would take too long, the exit code is 1 and the answer says `incomplete`.",
    examples: ["verity-bpf policy diff bpf.pol new.pol"], arguments: [old, new],
    options: [CommonOptions.dialect, facts, exitCode, json])
  static let schema = "verity-bpf/policy-diff/1"

  let old: String
  let new: String
  let dialect: DialectName
  let facts: [String]
  let exitCode: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    old = try words[Self.old]
    new = try words[Self.new]
    dialect = try words[CommonOptions.dialect]
    facts = try words[Self.facts]
    exitCode = try words[Self.exitCode]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    var samples: [Facts] = []
    for file in facts { samples += try PolicyFile.facts(file) }
    let diff = try PolicyDiff(
      old: try PolicyFile.load(old, dialect.dialect), new: try PolicyFile.load(new, dialect.dialect), samples: samples
    )
    if json {
      try Output.json(diff.json)
    } else {
      try printForPeople(diff)
    }
    // That something was not looked at is no answer, whether or not a change was found.
    return !diff.isComplete || exitCode && !diff.isEmpty ? Diagnostic.Category.incomplete.rawValue : 0
  }

  private func printForPeople(_ diff: PolicyDiff) throws {
    if diff.old.enforcing != diff.new.enforcing {
      try Output.line(diff.new.enforcing ? "now enforcing, was permissive" : "now permissive, was enforcing")
    }
    for change in diff.changes {
      try Output.line("now \(change.after.word), was \(change.before.word):")
      let facts = PropertyName.allCases.compactMap { name in
        change.facts.text(of: name).map { "\(name.rawValue)=\($0)" }
      }
      let known = facts.isEmpty ? "and nothing else is known" : facts.joined(separator: " ")
      try Output.line("    op=\(change.facts.operation?.rawValue ?? "UNKNOWN") \(known)")
      try Output.line("    before  \(old):\(change.before.line ?? 0): \(change.before.ruleText)")
      try Output.line("    after   \(new):\(change.after.line ?? 0): \(change.after.ruleText)")
    }
    if diff.isEmpty { try Output.line(diff.isComplete ? "no change in meaning" : "no change found, incomplete") }
    if !diff.isComplete {
      Output.warning(
        "policy.diff-incomplete", "incomplete: not all facts were looked at, or there are more changes than are listed")
    }
  }
}

extension Decision {
  /// What happens, where a denial may be one on paper.
  fileprivate var word: String { action == .deny && !enforcing ? "DENY, only recorded" : action.rawValue }
}
