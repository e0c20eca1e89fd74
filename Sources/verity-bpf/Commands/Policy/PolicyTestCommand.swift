import Base
import Linux
import Policy
import Workbench

struct PolicyTestCommand: Command {
  static let policy: Key<String> = .required("POLICY", takes: .file, "The policy.")
  static let cases: Key<[String]> = .repeated(
    "CASES", takes: .file, needsOne: true, "Case files, and directories whose *.cases files are run.")
  static let coverage = Key.flag(
    "--coverage",
    "Name the policy's lines that no case came from, and each rule, condition and member of a list whose loss no case notices."
  )
  static let mutate = Key.flag(
    "--mutate",
    "Change each rule, condition, list and default in turn, name the changes that no case notices, each with a case that would, and fail when there is one."
  )
  static let minCoverage: Key<Int?> = .optional(
    "--min-coverage", "Fail when fewer of a hundred lines, or of a hundred such parts or changes, are covered.")
  static let junit: Key<String?> = .optional("--junit", takes: .file, "Also write the results as JUnit XML.")
  static let json = Key.flag("--json", "One object with all results.")

  static let declaration = Declaration(
    "Run test cases against a policy.",
    discussion: """
      A case file is plain text:
        case "vendor image, signed"
          given op=BPF_PROG_LOAD dmverity_signature=TRUE
          expect ALLOW at line 7
        case "nothing known"
          given op=BPF_PROG_LOAD
          expect DENY by DEFAULT
      Exits 1 when a case fails, too few lines are covered, or --mutate finds a change that no case notices.
      """,
    examples: ["verity-bpf policy test bpf.pol bpf.cases", "verity-bpf policy test bpf.pol bpf.cases --mutate"],
    arguments: [policy, cases],
    options: [CommonOptions.dialect, coverage, mutate, minCoverage, junit, json])
  static let schema = "verity-bpf/policy-test/1"

  let policy: String
  let cases: [String]
  let dialect: DialectName
  let coverage: Bool
  let mutate: Bool
  let minCoverage: Int?
  let junit: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    policy = try words[Self.policy]
    cases = try words[Self.cases]
    dialect = try words[CommonOptions.dialect]
    coverage = try words[Self.coverage]
    mutate = try words[Self.mutate]
    minCoverage = try words[Self.minCoverage]
    junit = try words[Self.junit]
    json = try words[Self.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let document = try PolicyFile.load(policy, dialect.dialect)
    let compiled = try CompiledPolicy(document)
    var files: [(name: String, cases: PolicyCases)] = []
    for path in try expanded() {
      let cases = PolicyCases(try PolicyFile.read(path))
      guard cases.diagnostics.isEmpty else {
        for diagnostic in cases.diagnostics { Output.notes(diagnostic.rendered(file: path, text: cases.text)) }
        throw DiagnosedFailure(Diagnostic("cases.syntax", .invalid, "`\(path)` holds no cases that can be run"))
      }
      files.append((path, cases))
    }
    let extent: PolicyMutant.Extent? = mutate ? .everything : coverage || minCoverage != nil ? .removals : nil
    let run = CaseRun(files, policy: compiled, document: document, mutating: extent)
    if let junit {
      var inputs = RunInputs()
      inputs.add(policy, as: "the policy")
      for file in files { inputs.add(file.name, as: "a file of cases") }
      try PolicyFile.save(Array(run.junit.utf8), to: junit, keeping: inputs)
    }
    if json {
      try Output.json(run.json)
    } else {
      for result in run.results {
        try Output.line(
          "\(result.failure == nil ? "ok    " : "FAILED") \(result.name)   (\(result.file):\(result.line))")
        if let failure = result.failure { try Output.line("       \(failure)") }
        for line in result.decision.unknownDenials.lines(limit: 10) { try Output.line("       \(line)") }
      }
      if coverage { try printUncovered(run) }
      if coverage || mutate, let mutations = run.mutations { try printUnnoticed(mutations) }
      try Output.line(
        "\(run.results.count) cases, \(run.failures.count) failed, \(run.coverage) % of the lines covered")
      if let mutations = run.mutations { try printSums(mutations) }
    }
    return run.failures.isEmpty && isCovered(run) ? 0 : Diagnostic.Category.incomplete.rawValue
  }

  /// Whether lines and parts are covered as far as was asked for; what was not tried is not.
  private func isCovered(_ run: CaseRun) -> Bool {
    let wanted = minCoverage ?? (mutate ? 100 : 0)
    let isAsked = minCoverage != nil || mutate
    guard run.coverage >= minCoverage ?? 0 else { return false }
    return !isAsked || (run.mutations.map { $0.isComplete && $0.coverage >= wanted } ?? true)
  }

  private func printUncovered(_ run: CaseRun) throws {
    for statement in run.uncovered {
      try Output.line("not covered: \(policy):\(statement.line): \(statement.canonicalText)")
    }
  }

  private func printUnnoticed(_ mutations: MutationRun) throws {
    for one in mutations.unnoticed {
      try Output.line("no case notices that \(policy):\(one.mutant.line) \(one.mutant.difference); one would:")
      for line in one.caseText.split(separator: "\n") { try Output.line("    \(line)") }
    }
  }

  private func printSums(_ mutations: MutationRun) throws {
    if mutate {
      try Output.line(
        "\(mutations.results.count) changes: \(mutations.noticedCount) noticed, \(mutations.unnoticed.count) not, "
          + "\(mutations.equivalent.count) without a change in meaning")
    } else {
      try Output.line("\(mutations.coverage) % of rules, conditions and members of lists shown to be needed")
    }
    guard !mutations.isComplete else { return }
    let missing =
      [
        mutations.undecidedCount > 0 ? "\(mutations.undecidedCount) changes would take too long to compare" : nil,
        mutations.isCut ? "there are more changes than are tried" : nil,
      ].compactMap { $0 }.joined(separator: ", and ")
    Output.warning("policy.mutation-incomplete", "incomplete: \(missing)")
  }

  private func expanded() throws -> [String] {
    var files: [String] = []
    for path in cases {
      guard let names = try? Directory.names(path) else {
        files.append(path)
        continue
      }
      files += names.filter { $0.hasSuffix(".cases") }.map { "\(path)/\($0)" }
    }
    guard !files.isEmpty else {
      throw DiagnosedFailure(Diagnostic("cases.none", .incomplete, "there is no *.cases file to run"))
    }
    return files
  }
}
