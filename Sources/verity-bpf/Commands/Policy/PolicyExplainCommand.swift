import Workbench
import Base
import Policy
import Provenance

struct PolicyExplainCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy; - is standard input.")
  static let facts: Key<String?> = .optional(
    "--facts", takes: .file, "A JSON file of facts: one object, or an array of several.")
  static let record: Key<String?> = .optional(
    "--record", takes: .word("LINE"), "A line of an audit log: what it says about the facts is used.")
  static let fd: Key<Int32?> = .optional("--fd", "The descriptor of an object that is open in this process.")
  static let image: Key<String?> = .optional("--image", takes: .image, "An image file; with --object.")
  static let object: Key<String?> = .optional("--object", takes: .objectInImage, "An object's path inside the image.")
  static let short = Key.flag("--short", "One line for each set of facts: the decision and the line that makes it.")
  static let json = Key.flag("--json", "One object for each set of facts.")

  static let declaration = Declaration(
    "Say what a policy decides about given facts, and why.",
    discussion: """
      An object is explained program by program, and named so. Exits 0 for ALLOW and 2 for DENY; 2 when one of several is \
      denied.
      """,
    examples: [
      "verity-bpf policy explain bpf.pol --facts facts.json",
      "verity-bpf policy explain bpf.pol --image progs.raw --object xdp_counter.bpf.o --short",
    ],
    arguments: [policy],
    options: [CommonOptions.dialect, facts, record, fd, image, object] + ImagePlace.keys + [short, json])
  static let schema = "verity-bpf/policy-explain/1"

  let policy: String
  let dialect: DialectName
  let facts: String?
  let record: String?
  let fd: Int32?
  let image: String?
  let object: String?
  let place: ImagePlace
  let short: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    dialect = try words[CommonOptions.dialect]
    facts = try words[Self.facts]
    record = try words[Self.record]
    fd = try words[Self.fd]
    image = try words[Self.image]
    object = try words[Self.object]
    place = try ImagePlace(words)
    try place.requireImage(image)
    short = try words[Self.short]
    json = try words[Self.json]
    if short, json { throw UsageError("--short and --json exclude each other.") }
    let sources = [facts != nil, record != nil, fd != nil, image != nil].count { $0 }
    guard sources == 1 else { throw UsageError("Give one of --facts, --record, --fd, or --image with --object.") }
    guard (image != nil) == (object != nil) else { throw UsageError("--image and --object belong together.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    // Before the policy is opened, which could get the number of a descriptor that was never handed over.
    if let fd { try Examination.requireOpen(fd: fd) }
    let compiled = try CompiledPolicy(try PolicyFile.load(policy, dialect.dialect))
    let requested = try requested()
    let reports = requested.enumerated().map { index, entry in
      ExplanationReport(
        compiled.explain(entry.facts), program: entry.program, number: requested.count > 1 ? index + 1 : nil)
    }
    for (index, report) in reports.enumerated() {
      if json {
        try Output.json(report.json)
      } else if short {
        try Output.line(report.shortLine)
      } else {
        if index > 0 { try Output.line("") }
        for line in report.lines { try Output.line(line) }
      }
    }
    let isDenied = reports.contains { $0.explanation.decision.action == .deny }
    return isDenied ? Diagnostic.Category.denied.rawValue : 0
  }

  private func requested() throws -> [(program: String?, facts: Facts)] {
    if let fd { return try FactsSource.facts(descriptor: fd).map { ($0.program, $0.facts) } }
    if let image, let object {
      return try FactsSource.facts(image: image, at: place.location, object: object).map { ($0.program, $0.facts) }
    }
    if let facts { return try PolicyFile.facts(facts).map { (nil, $0) } }
    return try recorded().map { (nil, $0) }
  }

  private func recorded() throws -> [Facts] {
    switch LogLine.first(in: Array((record ?? "").utf8)) {
    case .record(_, .text(.access(let entry))):
      guard let known = Replay.facts(of: entry) else { throw noDecision("a rule that cannot be read") }
      return [known]
    case .record(_, .own(let value)):
      guard let known = Replay.facts(of: value) else { throw noDecision("a record of audit.jsonl that is no decision") }
      return known
    case .record(_, .text(.attempt(let attempt))):
      throw noDecision("an attempt, event \(attempt.event): that a load was asked for, or ended without a decision")
    case .record(_, .text(.refusal(let refusal))):
      throw noDecision("a refusal before a policy decided: \(refusal.code) (`verity-bpf explain-error` says more)")
    case .unreadable(let reason): throw noDecision(reason)
    case .record(_, .text(.activation)), .record(_, .text(.load)), .record(_, .text(.status)),
      .record(_, .text(.signers)), .record(_, .text(.revocations)), .record(_, .withoutDecision), nil:
      throw noDecision("`\((record ?? "").prefix(60))`")
    }
  }

  private func noDecision(_ found: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "audit.record", .invalid, "the text is no IPE decision record",
        expected: "a line with type=1420 and a rule, or a decision of audit.jsonl",
        found: found))
  }
}
