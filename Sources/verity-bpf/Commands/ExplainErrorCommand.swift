import Base
import Workbench

/// `verity-bpf explain-error CODE`.
struct ExplainErrorCommand: Command {
  static let code: Key<String?> = .optional(
    "CODE", takes: .errorCode,
    "The code between brackets in a diagnostic, such as policy.digest-length. (default: list all)")

  static let declaration = Declaration(
    "Say what a diagnostic's code means, and what to do about it.",
    examples: ["verity-bpf explain-error policy.digest-length", "verity-bpf explain-error"], arguments: [code],
    options: [])
  static let schema = "verity-bpf/explain-error/1"

  let code: String?

  init(_ words: Words) throws(UsageError) { code = try words[Self.code] }

  func execute() throws -> Int32 {
    guard let code else {
      for code in ErrorCatalogue.codes { try Output.line(code) }
      return 0
    }
    guard let paragraph = ErrorCatalogue.paragraph(code) else {
      throw DiagnosedFailure(
        Diagnostic(
          "explain.unknown-code", .usage, "there is no paragraph about `\(code)`",
          next: "`verity-bpf explain-error` lists all codes"))
    }
    try Output.line(code)
    var line = " "
    for word in paragraph.split(separator: " ") {
      if line.count + 1 + word.count > 100 {
        try Output.line(line)
        line = " "
      }
      line += " \(word)"
    }
    try Output.line(line)
    return 0
  }
}
