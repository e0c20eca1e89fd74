public import Base

/// Why a path cannot become a result.
public enum SafeOutputError: Error, Equatable, Sendable {
  /// It is, under this or another name, a file that the run reads.
  case replacesInput(output: String, input: String, role: String)
  /// Something is there that is no regular file.
  case notAFile(output: String, kind: String)
}

extension SafeOutputError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .replacesInput(let output, let input, let role):
      Diagnostic(
        "output.replaces-input", .usage, "the result would replace \(role)", expected: "a file that is not read",
        found: output == input ? "`\(output)`" : "`\(output)`, which is the same file as `\(input)`",
        why: "nothing was written, and \(role) is as it was", next: "name another file")
    case .notAFile(let output, let kind):
      Diagnostic(
        "output.not-a-file", .usage, "the result cannot become `\(output)`",
        expected: "a new name, or a regular file to replace", found: "a \(kind)", next: "name another file")
    }
  }
}
