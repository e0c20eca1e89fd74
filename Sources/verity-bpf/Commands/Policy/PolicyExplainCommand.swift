import ArgumentParser
import AuditText
import Diagnostics
import Policy
import PolicyWorkbench
import Provenance

struct PolicyExplainCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say what a policy decides about given facts, and why.",
    discussion: "Exits 0 for ALLOW and 2 for DENY; 2 when one of several is denied.")
  static let schema = "verity-bpf/policy-explain/1"

  @Argument(help: "The policy; - is standard input.") var policy: String
  @OptionGroup var language: DialectOption
  @Option(help: "A JSON file of facts: one object, or an array of several.") var facts: String?
  @Option(help: "A line of an audit log: what it says about the facts is used.") var record: String?
  @Option(help: "The descriptor of an object that is open in this process.") var fd: Int32?
  @Option(help: "An image file; with --object.") var image: String?
  @Option(help: "An object's path inside the image.") var object: String?
  @Flag(help: "One object for each set of facts.") var json = false

  var wantsJSON: Bool { json }

  func validate() throws {
    let sources = [facts != nil, record != nil, fd != nil, image != nil].count { $0 }
    guard sources == 1 else { throw ValidationError("give one of --facts, --record, --fd, or --image with --object") }
    guard (image != nil) == (object != nil) else { throw ValidationError("--image and --object belong together") }
  }

  func execute() throws -> Int32 {
    // Before the policy is opened, which could get the number of a descriptor that was never handed over.
    if let fd { try Examination.requireOpen(fd: fd) }
    let compiled = try CompiledPolicy(try PolicyFile.load(policy, language.dialect))
    let explanations = try requested().map { compiled.explain($0) }
    for (index, explanation) in explanations.enumerated() {
      if json {
        try Output.json(explanation.json)
      } else {
        if index > 0 { try Output.line("") }
        for line in explanation.lines { try Output.line(line) }
      }
    }
    let isDenied = explanations.contains { $0.decision.action == .deny }
    return isDenied ? Diagnostic.Category.denied.rawValue : 0
  }

  private func requested() throws -> [Facts] {
    if let facts { return try PolicyFile.facts(facts) }
    if let fd { return try FactsSource.facts(descriptor: fd) }
    if let image, let object { return try FactsSource.facts(image: image, object: object) }
    guard case .record(_, .access(let entry)) = AuditReader.read(Array((record ?? "").utf8)),
      let known = Replay.facts(of: entry)
    else {
      throw DiagnosedFailure(
        Diagnostic(
          "audit.record", .invalid, "the text is no IPE decision record", expected: "a line with type=1420",
          found: "`\((record ?? "").prefix(60))`"))
    }
    return [known]
  }
}
