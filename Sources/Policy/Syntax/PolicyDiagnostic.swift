public import Base

/// Something to say about a place in a policy.
public struct PolicyDiagnostic: Equatable, Sendable {
  public enum Severity: String, Sendable, Comparable {
    case note, warning, error

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
  }

  public let severity: Severity
  /// Stable: `policy.` and what is wrong. `verity-bpf explain-error` has a paragraph for each.
  public let code: String
  /// One sentence: lower-case, no full stop, the policy's words in backticks.
  public let message: String
  /// The bytes it is about.
  public let range: SourceRange
  public let start: SourcePosition
  public let end: SourcePosition
  /// What to write instead, or do next.
  public let hint: String?
  /// What the kernel's parser answers to this, when it refuses it too.
  public let kernelError: KernelError?

  public init(
    _ severity: Severity, _ code: String, _ message: String, at range: SourceRange, in text: SourceText,
    hint: String? = nil, kernelError: KernelError? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.range = range
    start = text.position(of: Int(range.start))
    end = text.position(of: Int(max(range.start, range.end)))
    self.hint = hint
    self.kernelError = kernelError
  }

  /// Says that a list of diagnostics was cut.
  ///
  /// - Parameters:
  ///   - count: how many more there are.
  ///   - first: the place of the first of them.
  public static func notListed(_ count: Int, from first: SourceRange, in text: SourceText) -> PolicyDiagnostic {
    PolicyDiagnostic(
      .note, "policy.not-listed",
      count == 1
        ? "one more finding, about this place, is not listed" : "\(count) more findings from here on are not listed",
      at: first, in: text, hint: "put right what is listed, and check again")
  }

  /// `file:line:column: severity[code]: message`, the form editors and compilers' output readers know.
  public func headline(file: String) -> String {
    let answer = kernelError.map { " (the kernel would answer \($0.rawValue))" } ?? ""
    return "\(file):\(start.line):\(start.column): \(severity.rawValue)[\(code)]: \(message)\(answer)"
  }

  /// The headline, the line it is about with a caret below the place, and the hint.
  public func rendered(file: String, text: SourceText) -> String {
    var output = headline(file: file)
    let line = text.line(start.line)
    // A very long line is shown around the place only.
    let first = max(0, start.column - 1 - 100)
    let shown = line.dropFirst(first).prefix(160)
    output += "\n    " + Self.printable(shown)
    let before = line.dropFirst(first).prefix(start.column - 1 - first)
    let marked = start.line == end.line ? line.dropFirst(start.column - 1).prefix(end.column - start.column) : []
    let width = max(1, min(60, Self.width(marked)))
    output += "\n    " + Self.blanks(before) + "^" + String(repeating: "~", count: width - 1)
    if let hint { output += " " + hint }
    return output
  }

  /// The bytes as one line of text in which nothing can move the cursor.
  static func printable(_ bytes: some Sequence<UInt8>) -> String {
    var result = ""
    for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
      switch scalar.value {
      case 0x09: result += "\t"
      case 0..<0x20, 0x7f..<0xa0, 0x2028...0x202e, 0x2066...0x2069: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func width(_ bytes: some Sequence<UInt8>) -> Int { printable(bytes).unicodeScalars.count }

  private static func blanks(_ bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(printable(bytes).unicodeScalars.map { $0 == "\t" ? "\t" : " " }))
  }
}

/// A policy that cannot be used, with everything that is wrong with it.
public struct InvalidPolicy: Diagnosable, Equatable {
  public let diagnostics: [PolicyDiagnostic]

  public init(diagnostics: [PolicyDiagnostic]) { self.diagnostics = diagnostics }

  public var diagnostic: Diagnostic {
    let errors = diagnostics.filter { $0.severity == .error }
    return Diagnostic(
      errors.first?.code ?? "policy.invalid", .invalid,
      errors.first.map { "the policy is not valid: \($0.message)" } ?? "the policy is not valid",
      found: errors.first.map { "line \($0.start.line), column \($0.start.column)" },
      next: "verity-bpf policy check FILE",
      details: errors.map { $0.headline(file: "policy") })
  }
}
