import Base
import Policy
import Workbench

/// Logs of other programs in whatever form, cut into pieces anywhere, and the rules that are suggested for them.
enum LogForms {
  static func check(_ text: [UInt8]) throws(BrokenPromise) -> Bool {
    let whole = items(text, pieces: max(1, text.count))
    for pieces in [1, 7, 64] {
      let same = items(text, pieces: pieces) == whole
      try require(same, "what is read of a log does not depend on its pieces of \(pieces) bytes")
    }
    var suggestion = PolicySuggestion()
    for found in whole {
      guard case .record(let origin, let record) = found.item else { continue }
      suggestion.add(record, at: PolicySuggestion.Place(log: "log", line: found.line, origin: origin))
    }
    let suggested = SuggestedPolicy(name: "suggested", suggestion: suggestion)
    let document = PolicyDocument.parse(suggested.text, dialect: .verityBPF)
    try require(document.isValid, "a suggested policy is valid: \(document.diagnostics.prefix(3))")
    try require(document.statements.count == suggested.rules.count + 1, "it has its rules and nothing else")
    try require(suggested.withoutEffect.isEmpty, "each rule allows what it is for")
    return whole.contains { if case .record = $0.item { true } else { false } }
  }

  private struct Found: Equatable {
    let line: Int
    let item: LoggedItem
  }

  private static func items(_ text: [UInt8], pieces: Int) -> [Found] {
    var reader = LogReader(limit: 4096)
    var found: [Found] = []
    for start in stride(from: 0, to: text.count, by: pieces) {
      reader.take(text[start..<min(start + pieces, text.count)]) { found.append(Found(line: $0, item: $1)) }
    }
    reader.end { found.append(Found(line: $0, item: $1)) }
    return found
  }
}
