import ArgumentParser
import Diagnostics
import JSONText
import LinuxSys
import Policy
import PolicyWorkbench

struct PolicyCheckCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what is wrong with a policy, and where.",
    discussion: "Exits 0 when every file can be used, 3 when one cannot or has a rule that nothing can answer.")
  static let schema = "verity-bpf/policy-check/1"

  enum Format: String, ExpressibleByArgument, CaseIterable { case human, gcc, json, sarif }

  @Argument(help: "Policy files; - is standard input.") var files: [String]
  @OptionGroup var language: DialectOption
  @Option(help: "How to print: human, gcc, json or sarif.") var format: Format = .human
  @Flag(help: "The same as --format json: one object a file.") var json = false
  @Option(help: "The configuration of the kernel that will evaluate the policy; `running` for the one at hand.")
  var kernelConfig: String?
  @Option(help: "A policy the kernel has already, as NAME or NAME=VERSION; may be repeated.")
  var loaded: [String] = []
  @Option(help: "The policy that this one updates, as NAME=VERSION.") var update: String?
  @Flag(help: "Fail on warnings too.") var strict = false

  var wantsJSON: Bool { json || format == .json }

  func execute() throws -> Int32 {
    let config = try kernelConfig.map { try Self.readConfig($0) }
    let updating = try update.map { try Self.policy($0) }
    var names: Set<[UInt8]> = []
    for entry in loaded {
      names.insert(
        PolicyVersion(String(entry.split(separator: "=").last ?? "")) == nil
          ? Array(entry.utf8) : try Self.policy(entry).name)
    }
    var reports: [CheckReport] = []
    for file in files {
      reports.append(
        CheckReport(
          file: file, bytes: try PolicyFile.read(file), dialect: language.dialect, config: config, installed: names,
          updating: updating))
    }
    for report in reports {
      switch wantsJSON ? .json : format {
      case .json: try Output.json(report.json)
      case .gcc: for line in report.gcc { try Output.line(line) }
      case .human: try printForPeople(report)
      case .sarif: break
      }
    }
    if !wantsJSON, format == .sarif {
      try Output.lines(SARIF.log(reports, version: VerityBPF.configuration.version).pretty)
    }
    let isGood = reports.allSatisfy { report in
      report.isValid && !(strict && report.diagnostics.contains { $0.severity >= .warning })
    }
    return isGood ? 0 : Diagnostic.Category.invalid.rawValue
  }

  private func printForPeople(_ report: CheckReport) throws {
    for diagnostic in report.diagnostics {
      try Output.lines(diagnostic.rendered(file: report.file, text: report.document.text))
    }
    let count = { (severity: PolicyDiagnostic.Severity) in report.diagnostics.count { $0.severity == severity } }
    let counted = { (number: Int, word: String) in "\(number) \(word)\(number == 1 ? "" : "s")" }
    let found = "\(counted(count(.error), "error")), \(counted(count(.warning), "warning"))"
    guard report.isValid, let header = report.document.header else {
      return try Output.line("\(report.file): not valid: \(found); the kernel's parser answers \(report.answer.word)")
    }
    let rules = report.document.statements.count { $0.kind == .rule }
    try Output.line(
      "\(report.file): valid: policy \(header.nameText) \(header.version), \(counted(rules, "rule")); \(found); "
        + "the mainline kernel answers \(report.answer.word)")
  }

  private static func policy(_ text: String) throws -> (name: [UInt8], version: PolicyVersion) {
    guard let equals = text.lastIndex(of: "="), let version = PolicyVersion(String(text[text.index(after: equals)...]))
    else { throw ValidationError("expected NAME=VERSION, found `\(text)`") }
    return (Array(text[..<equals].utf8), version)
  }

  /// A configuration file, or the running kernel's.
  private static func readConfig(_ path: String) throws -> KernelConfig {
    let bytes: [UInt8]
    if path == "running" {
      let release = String(decoding: try PolicyFile.read("/proc/sys/kernel/osrelease"), as: UTF8.self)
      if let file = try? PolicyFile.read("/boot/config-\(release.filter { !$0.isWhitespace })") {
        bytes = file
      } else if let result = try? Subprocess.run(["gzip", "-dc", "/proc/config.gz"], limit: 1 << 23), result.status == 0
      {
        bytes = result.output
      } else {
        throw DiagnosedFailure(
          Diagnostic(
            "policy.no-kernel-config", .incomplete, "the running kernel's configuration is not to be found",
            expected: "/boot/config-RELEASE or /proc/config.gz", next: "--kernel-config FILE"))
      }
    } else {
      bytes = try PolicyFile.read(path)
    }
    let config = KernelConfig(String(decoding: bytes, as: UTF8.self))
    guard !config.isEmpty else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.no-kernel-config", .invalid, "`\(path)` is no kernel configuration",
          expected: "lines like CONFIG_SECURITY_IPE=y"))
    }
    return config
  }
}
