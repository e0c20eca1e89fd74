import ArgumentParser
import Diagnostics
import Policy
import PolicyWorkbench

struct PolicyDiffCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Say what changes in meaning from one policy to another.",
    discussion:
      "Each change is shown by the least facts that are decided otherwise. --exit-code exits 1 when there is one.")
  static let schema = "verity-bpf/policy-diff/1"

  @Argument(help: "The policy as it was.") var old: String
  @Argument(help: "The policy as it will be.") var new: String
  @OptionGroup var language: DialectOption
  @Option(help: "Facts to compare besides those made from the rules; may be repeated.") var facts: [String] = []
  @Flag(help: "Exit 1 when something changes.") var exitCode = false
  @Flag(help: "One object with all changes.") var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    var samples: [Facts] = []
    for file in facts { samples += try PolicyFile.facts(file) }
    let diff = try PolicyDiff(
      old: try PolicyFile.load(old, language.dialect), new: try PolicyFile.load(new, language.dialect), samples: samples
    )
    if json {
      try Output.json(diff.json)
    } else {
      try printForPeople(diff)
    }
    return exitCode && !diff.isEmpty ? Diagnostic.Category.incomplete.rawValue : 0
  }

  private func printForPeople(_ diff: PolicyDiff) throws {
    if diff.old.enforcing != diff.new.enforcing {
      try Output.line(diff.new.enforcing ? "now enforcing, was permissive" : "now permissive, was enforcing")
    }
    for change in diff.changes {
      try Output.line("now \(change.after.action.rawValue), was \(change.before.action.rawValue):")
      let facts = PropertyName.allCases.compactMap { name in
        change.facts.text(of: name).map { "\(name.rawValue)=\($0)" }
      }
      let known = facts.isEmpty ? "and nothing else is known" : facts.joined(separator: " ")
      try Output.line("    op=\(change.facts.operation?.rawValue ?? "UNKNOWN") \(known)")
      try Output.line("    before  \(old):\(change.before.line ?? 0): \(change.before.ruleText)")
      try Output.line("    after   \(new):\(change.after.line ?? 0): \(change.after.ruleText)")
    }
    if diff.isEmpty { try Output.line("no change in meaning") }
    if !diff.isComplete {
      Output.warning("policy.diff-incomplete", "the policies have too many pairs of rules; not all were compared")
    }
  }
}
