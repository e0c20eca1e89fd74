import ArgumentParser
import Diagnostics
import LinuxSys
import Policy
import PolicyWorkbench
import SafeOutput

struct PolicyTestCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run test cases against a policy.",
    discussion: """
      A case file is plain text:
        case "vendor image, signed"
          given op=BPF_PROG_LOAD dmverity_signature=TRUE
          expect ALLOW at line 7
        case "nothing known"
          given op=BPF_PROG_LOAD
          expect DENY by DEFAULT
      Exits 1 when a case fails or too few lines are covered.
      """)
  static let schema = "verity-bpf/policy-test/1"

  @Argument(help: "The policy.") var policy: String
  @Argument(help: "Case files, and directories whose *.cases files are run.") var cases: [String]
  @OptionGroup var language: DialectOption
  @Flag(help: "Name the policy's lines that no case came from.") var coverage = false
  @Option(help: "Fail when fewer of a hundred lines are covered.") var minCoverage: Int?
  @Option(help: "Also write the results as JUnit XML.") var junit: String?
  @Flag(help: "One object with all results.") var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let document = try PolicyFile.load(policy, language.dialect)
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
    let run = CaseRun(files, policy: compiled, document: document)
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
      if coverage {
        for statement in run.uncovered {
          try Output.line("not covered: \(policy):\(statement.line): \(statement.canonicalText)")
        }
      }
      try Output.line(
        "\(run.results.count) cases, \(run.failures.count) failed, \(run.coverage) % of the lines covered")
    }
    let isCovered = minCoverage.map { run.coverage >= $0 } ?? true
    return run.failures.isEmpty && isCovered ? 0 : Diagnostic.Category.incomplete.rawValue
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
