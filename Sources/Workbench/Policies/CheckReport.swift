public import Base
public import KernelABI
public import Policy

/// Everything `policy check` has to say about one file.
public struct CheckReport {
  public let file: String
  public let document: PolicyDocument
  /// What a kernel would answer to the text.
  public let answer: KernelAnswer
  /// The parser's diagnostics and the linter's.
  public let diagnostics: [PolicyDiagnostic]

  /// - Parameters:
  ///   - installed: the names of the policies the kernel has.
  ///   - updating: the policy that this one is to replace.
  public init(
    file: String, bytes: [UInt8], dialect: Dialect, config: KernelConfiguration? = nil, installed: Set<[UInt8]> = [],
    updating: (name: [UInt8], version: PolicyVersion)? = nil
  ) {
    self.file = file
    document = PolicyDocument.parse(bytes, dialect: dialect)
    let kernel = dialect == .kernel ? document : PolicyDocument.parse(bytes, dialect: .kernel)
    answer = KernelAnswer(to: kernel, installed: installed, updating: updating)
    let name = file.split(separator: "/").last.map { String($0) }
    var all = document.diagnostics
    if dialect == .kernel { all += Self.explanation(of: answer, in: document) }
    if document.isValid { all += PolicyLint.findings(document, config: config, fileName: name) }
    diagnostics = all
  }

  /// Whether the policy can be used in its dialect, and each of its rules can match.
  public var isValid: Bool {
    document.isValid && (document.dialect == .verityBPF || answer.error == nil)
      && !diagnostics.contains { $0.severity == .error }
  }

  /// What the layers around the kernel's parser refuse, where no diagnostic of the parser says it.
  private static func explanation(of answer: KernelAnswer, in document: PolicyDocument) -> [PolicyDiagnostic] {
    guard let error = answer.error, error != document.parserAnswer || error == .messageSize else { return [] }
    let name = document.header?.nameRange ?? SourceRange(0, 0)
    let version = document.header?.versionRange ?? SourceRange(0, 0)
    let found: (code: String, message: String, range: SourceRange, hint: String)? =
      switch error {
      case .messageSize:
        (
          "policy.too-large", "with its signature the policy has more than 65,535 bytes", SourceRange(0, 0),
          "split it, or sign root hashes and ask for dmverity_signature=TRUE"
        )
      case .access: ("policy.name", "the name cannot be a directory's", name, "choose a name without slashes")
      case .nameTooLong: ("policy.name", "the name has more than 255 bytes", name, "choose a shorter name")
      case .exists: ("policy.exists", "a policy of this name is loaded", name, "write it to that policy's update file")
      case .stale: ("policy.stale", "the version is not above the loaded policy's", version, "raise policy_version")
      // What is wrong with the text itself has diagnostics of the parser's.
      case .badMessage, .range: nil
      case .invalid:
        ("policy.other-name", "an update must have the name of the policy it updates", name, "load it as a new one")
      }
    return found.map {
      [
        PolicyDiagnostic(
          .error, $0.code, $0.message, at: $0.range, in: document.text, hint: $0.hint, kernelError: error)
      ]
    } ?? []
  }

  /// The report as one JSON object, `verity-bpf/policy-check/1`.
  public var json: JSONValue {
    let header = document.header
    let isKernel = document.dialect == .kernel
    let name = isKernel ? answer.name : header?.name
    let version = isKernel ? answer.version : header?.version
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/policy-check/1"), .init("file", .string(file)),
      .init("dialect", .string(document.dialect.rawValue)), .init("valid", .bool(isValid)),
      .init("kernel_answer", .string(answer.word)),
      .init("name", .optional(name == nil ? nil : header?.nameText)),
      .init("version", .optional(version?.description)),
    ]
    if let name, String(validating: name, as: UTF8.self) == nil {
      // The name as bytes, since JSON has none.
      members.append(.init("name_bytes", .array(name.map { .integer(Int64($0)) })))
    }
    if isValid, let header { members.append(.init("enforcing", .bool(header.enforcing))) }
    members.append(.init("diagnostics", .array(diagnostics.map { $0.json })))
    return .object(members)
  }

  /// One line a diagnostic, as gcc prints them, for editors and build logs.
  public var gcc: [String] {
    diagnostics.map { diagnostic in
      let answer = diagnostic.kernelError.map { " (kernel: \($0.rawValue))" } ?? ""
      let hint = diagnostic.hint.map { "; \($0)" } ?? ""
      return "\(file):\(diagnostic.start.line):\(diagnostic.start.column): \(diagnostic.severity.rawValue): "
        + "\(diagnostic.message)\(answer)\(hint) [\(diagnostic.code)]"
    }
  }
}

extension PolicyDiagnostic {
  /// The diagnostic as a JSON object; lines and columns count from 1, columns in bytes.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("severity", .string(severity.rawValue)), .init("code", .string(code)), .init("message", .string(message)),
      .init("line", .integer(Int64(start.line))), .init("column", .integer(Int64(start.column))),
      .init("end_line", .integer(Int64(end.line))), .init("end_column", .integer(Int64(end.column))),
    ]
    if let hint { members.append(.init("hint", .string(hint))) }
    if let kernelError { members.append(.init("kernel_errno", .string(kernelError.rawValue))) }
    return .object(members)
  }
}

/// Static Analysis Results Interchange Format 2.1.0 (OASIS), which code-review tools take.
public enum SARIF {
  /// One run over all files.
  public static func log(_ reports: [CheckReport], version: String) -> JSONValue {
    let codes = Set(reports.flatMap { $0.diagnostics.map { $0.code } }).sorted()
    let results = reports.flatMap { report in report.diagnostics.map { result($0, of: report) } }
    return [
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        [
          "tool": [
            "driver": [
              "name": "verity-bpf", "version": .string(version),
              "rules": .array(codes.map { ["id": .string($0)] }),
            ]
          ],
          "columnKind": "unicodeCodePoints",
          "results": .array(results),
        ]
      ],
    ]
  }

  /// A path as a reference of RFC 3986: everything but letters, digits, `-._~` and slashes is percent-encoded.
  private static func reference(_ path: String) -> String {
    path.utf8.map { byte in
      let scalar = UnicodeScalar(byte)
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal)
      return isPlain || "-._~/".unicodeScalars.contains(scalar)
        ? String(scalar) : "%" + Hex.encode([byte]).uppercased()
    }.joined()
  }

  private static func result(_ diagnostic: PolicyDiagnostic, of report: CheckReport) -> JSONValue {
    let start = report.document.text.characterPosition(of: Int(diagnostic.range.start))
    let end = report.document.text.characterPosition(of: Int(max(diagnostic.range.start, diagnostic.range.end)))
    let text = diagnostic.message + (diagnostic.hint.map { ": \($0)" } ?? "")
    return [
      "ruleId": .string(diagnostic.code),
      "level": .string(diagnostic.severity.rawValue),
      "message": ["text": .string(text)],
      "locations": [
        [
          "physicalLocation": [
            "artifactLocation": ["uri": .string(reference(report.file))],
            "region": [
              "startLine": .integer(Int64(start.line)),
              "startColumn": .integer(Int64(start.column)),
              "endLine": .integer(Int64(end.line)),
              "endColumn": .integer(Int64(end.column)),
            ],
          ]
        ]
      ],
    ]
  }
}
