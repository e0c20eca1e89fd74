import Base
import HostReport
import HostSurvey
import Linux
import Trust

/// `verity-bpf doctor`: what this host can guarantee.
struct DoctorCommand: Command {
  static let facts: Key<String?> = .optional(
    "--facts", takes: .file, "Judge what --record wrote, maybe on another machine, instead of this one.")
  static let record = Key.flag("--record", "Print what was read as JSON, and judge nothing.")

  static let declaration = Declaration(
    "Say which guarantees this machine gives, which it does not, and how to get them.",
    discussion: """
      Reads lockdown, security modules, IPE, keyrings, dm-verity, fs-verity and BPF settings, and offers the kernel a \
      few programs that do nothing, to see which it takes. Nothing is changed. Root sees more; what could not be \
      read is said.

      Exit codes: 0 nothing is missing, 6 a guarantee is missing (`gap`), 1 there is no gap, but something could not \
      be read, 3 --facts holds something else, 64 usage. What is only weaker than it could be (`weak`) does not count.
      """,
    examples: ["verity-bpf doctor", "verity-bpf doctor --record > facts.json", "verity-bpf doctor --facts facts.json"],
    options: [facts, record, CommonOptions.json])
  static let schema = HostReport.schema

  let facts: String?
  let record: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    facts = try words[Self.facts]
    record = try words[Self.record]
    json = try words[CommonOptions.json]
    if record, facts != nil { throw UsageError("Give --record or --facts, not both.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let facts = try gather()
    if record {
      try Output.json(facts.json)
      return 0
    }
    let report = HostReport(facts)
    if json { try Output.json(report.json) } else { try report.printText() }
    return report.category?.rawValue ?? 0
  }

  private func gather() throws -> HostFacts {
    guard let facts else {
      var facts = try HostSurvey.run()
      facts.installed = Self.installed()
      return facts
    }
    let limit = 4 << 20
    guard let text = try OwnedFD.openRegular(facts).readToEnd(limit: limit) else {
      throw DiagnosedFailure(
        Diagnostic(
          "host.facts", .invalid, "`\(facts)` is too large to be facts of a host", expected: "at most \(limit) bytes",
          found: "more"))
    }
    return try HostFacts(JSONValue.parse(text))
  }
}

extension DoctorCommand {
  /// What is in force here, as far as this process may look.
  private static func installed() -> InstalledTrust? {
    var installed = InstalledTrust()
    do {
      _ = try Site.trust(nil)
    } catch let error as any Diagnosable {
      installed.refusal = "\(error.diagnostic.message) [\(error.diagnostic.code)]"
    } catch {
      return nil
    }
    guard let settings = try? Site.settings() else { return installed }
    let lists = try? RevocationLists(settings.directory(.trustAnchors) ?? Trust.standardDirectory).all()
    installed.lists = (lists ?? []).map { $0.list?.line ?? $0.name }
    guard let trust = try? Site.trust(nil), let directory = try? Site.store(nil) else { return installed }
    let store = PolicyStore(directory: directory, trust: trust)
    guard let shadow = try? store.state().shadow else { return installed }
    installed.shadow = "\(shadow.name) \(shadow.entry.version)"
    do throws(PolicyStoreError) {
      _ = try store.shadow()
    } catch {
      installed.shadowRefusal = "\(error.diagnostic.message) [\(error.diagnostic.code)]"
    }
    return installed
  }
}

extension HostReport {
  /// The report at 80 columns: what was found, what can be done here, then each gap with its remedy.
  fileprivate func printText() throws {
    try Output.line("kernel \(release)")
    try Output.line("")
    for finding in findings {
      try Self.lines(label: finding.title, word: finding.state.rawValue, finding.found)
      for detail in finding.details { try Self.lines(label: "", word: "", detail) }
    }
    try Output.line("")
    try Output.line("On this machine:")
    for ability in abilities {
      let reason = ability.reason.map { ability.answer == .yes ? ": \($0)" : " (see \($0))" } ?? ""
      for line in TextLayout.wrap(
        ability.title + reason, first: "  " + TextLayout.pad(ability.answer.rawValue, 9), rest: 11)
      { try Output.line(line) }
    }
    for state in [Finding.State.gap, .unknown, .weak] {
      for finding in findings where finding.state == state {
        try Output.line("")
        for line in TextLayout.wrap(
          "\(finding.title): \(finding.found)", first: "\(state.rawValue)[\(finding.id)]: ", rest: 10)
        { try Output.line(line) }
        for case (let label, let text?) in [("loses", finding.loses), ("close", finding.close)] {
          for line in TextLayout.wrap(text, first: "  " + TextLayout.pad(label, 8), rest: 10) { try Output.line(line) }
        }
      }
    }
  }

  private static func lines(label: String, word: String, _ text: String) throws {
    let first = TextLayout.pad(label, 21) + TextLayout.pad(word, 9)
    for line in TextLayout.wrap(text, first: first, rest: 30) { try Output.line(line) }
  }
}
