import Base
import KernelABI
import Linux
import Policy
import Workbench

struct PolicyCheckCommand: Command {
  enum Format: String, ArgumentChoice { case human, gcc, json, sarif }

  static let files: Key<[String]> = .repeated(
    "POLICY", takes: .file, needsOne: true, "Policy files; - is standard input.")
  static let format: Key<Format> = .optional("--format", default: .human, "How to print.")
  static let json = Key.flag("--json", "The same as --format json: one object a file.")
  static let kernelConfig: Key<String?> = .optional(
    "--kernel-config", takes: .file,
    "The configuration of the kernel that will evaluate the policy; `running` for the one at hand.")
  static let loaded: Key<[InstalledPolicy]> = .repeated(
    "--loaded", "A policy the kernel has already, as NAME or NAME=VERSION; may be repeated.")
  static let update: Key<PolicyUpdate?> = .optional("--update", "The policy that this one updates, as NAME=VERSION.")
  static let strict = Key.flag("--strict", "Fail on warnings too.")

  static let declaration = Declaration(
    "Say what is wrong with a policy, and where.",
    discussion: "Exits 0 when every file can be used, 3 when one cannot or has a rule that nothing can answer.",
    examples: ["verity-bpf policy check bpf.pol", "verity-bpf policy check --format sarif bpf.pol"], arguments: [files],
    options: [CommonOptions.dialect, format, json, kernelConfig, loaded, update, strict])
  static let schema = "verity-bpf/policy-check/1"

  let files: [String]
  let dialect: DialectName
  let format: Format
  let json: Bool
  let kernelConfig: String?
  let loaded: [InstalledPolicy]
  let update: PolicyUpdate?
  let strict: Bool

  init(_ words: Words) throws(UsageError) {
    files = try words[Self.files]
    dialect = try words[CommonOptions.dialect]
    format = try words[Self.format]
    json = try words[Self.json]
    kernelConfig = try words[Self.kernelConfig]
    loaded = try words[Self.loaded]
    update = try words[Self.update]
    strict = try words[Self.strict]
  }

  var wantsJSON: Bool { json || format == .json }

  func execute() throws -> Int32 {
    let config = try kernelConfig.map { try Self.readConfig($0) }
    let names = Set(loaded.map(\.name))
    var reports: [CheckReport] = []
    var status: Int32 = 0
    for file in files {
      let bytes: [UInt8]
      do {
        bytes = try PolicyFile.read(file)
      } catch let failure as DiagnosedFailure where files.count > 1 {
        Output.report(failure.diagnostic)
        status = max(status, failure.diagnostic.category.rawValue)
        continue
      }
      reports.append(
        CheckReport(
          file: file, bytes: bytes, dialect: dialect.dialect, config: config, installed: names,
          updating: update.map { ($0.name, $0.version) }))
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
      try Output.lines(SARIF.log(reports, version: VerityBPF.version).pretty)
    }
    let isGood = reports.allSatisfy { report in
      report.isValid && !(strict && report.diagnostics.contains { $0.severity >= .warning })
    }
    return isGood ? status : max(status, Diagnostic.Category.invalid.rawValue)
  }

  private func printForPeople(_ report: CheckReport) throws {
    for diagnostic in report.diagnostics {
      try Output.lines(diagnostic.rendered(file: report.file, text: report.document.text))
    }
    let count = { (severity: PolicyDiagnostic.Severity) in report.diagnostics.count { $0.severity == severity } }
    let found = "\(counted(count(.error), "error")), \(counted(count(.warning), "warning"))"
    guard report.isValid, let header = report.document.header else {
      return try Output.line("\(report.file): not valid: \(found); the kernel's parser answers \(report.answer.word)")
    }
    let rules = report.document.statements.count { $0.kind == .rule }
    try Output.line(
      "\(report.file): valid: policy \(header.nameText) \(header.version), \(counted(rules, "rule")); \(found); "
        + "the mainline kernel answers \(report.answer.word)")
  }

  /// A configuration file, or the running kernel's.
  private static func readConfig(_ path: String) throws -> KernelConfiguration {
    if path == "running" {
      guard let config = KernelReports.configuration(release: try KernelReports.release()) else {
        throw DiagnosedFailure(
          Diagnostic(
            "policy.no-kernel-config", .incomplete, "the running kernel's configuration is not to be found",
            expected: "\(KernelStatement.configuration.place()) or /boot/config-RELEASE", next: "--kernel-config FILE"))
      }
      return config
    }
    let config = KernelConfiguration(String(decoding: try PolicyFile.read(path), as: UTF8.self))
    guard !config.isEmpty else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.no-kernel-config", .invalid, "`\(path)` is no kernel configuration",
          expected: "lines like CONFIG_SECURITY_IPE=y"))
    }
    return config
  }
}

/// The policy that another one updates, as `NAME=VERSION`.
struct PolicyUpdate: ArgumentValue {
  static let expectation = "NAME=VERSION"
  static let kind = ValueKind.word("NAME=VERSION")

  let name: [UInt8]
  let version: PolicyVersion
  let argument: String

  init?(argument: String) {
    guard let equals = argument.lastIndex(of: "="),
      let version = PolicyVersion(String(argument[argument.index(after: equals)...]))
    else { return nil }
    name = Array(argument[..<equals].utf8)
    self.version = version
    self.argument = argument
  }
}

/// A policy that the kernel has, as `NAME` or `NAME=VERSION`.
struct InstalledPolicy: ArgumentValue {
  static let expectation = "NAME or NAME=VERSION"
  static let kind = ValueKind.word("NAME[=VERSION]")

  let name: [UInt8]
  let argument: String

  /// What is no version belongs to the name; a version alone names no policy.
  init?(argument: String) {
    guard PolicyVersion(argument) == nil else { return nil }
    name = PolicyUpdate(argument: argument)?.name ?? Array(argument.utf8)
    self.argument = argument
  }
}
