public import Policy

/// A file of test cases: what a policy must decide about which facts.
///
///     case "vendor image, signed"
///       given op=BPF_PROG_LOAD dmverity_signature=TRUE
///       given x_witness=BOTH dmverity_roothash=sha256:…      # more facts
///       expect ALLOW at line 7
///     case "same bytes on tmpfs"
///       given op=BPF_PROG_LOAD
///       expect DENY by DEFAULT
///     case "revoked"
///       given op=BPF_PROG_LOAD x_object=sha256:…
///       expect DENY by op=BPF_PROG_LOAD x_object=sha256:… action=DENY
///
/// `#` begins a comment where a word could begin.
public struct PolicyCases: Sendable {
  public let text: SourceText
  public private(set) var cases: [Case] = []
  /// Errors, and a note where there are more than are listed; a file with one is not run.
  public private(set) var diagnostics: [PolicyDiagnostic] = []
  /// Where the first error is that is not kept, and how many those are.
  private var omitted: (first: SourceRange, count: Int)?

  /// The most errors that are kept.
  private static let diagnosticLimit = 200

  /// One case.
  public struct Case: Sendable {
    public let name: String
    public let line: Int
    public internal(set) var facts: Facts?
    public internal(set) var expectation: Expectation?
  }

  /// What a case expects.
  public struct Expectation: Sendable, Equatable {
    public let action: Action
    public let reason: Reason

    public enum Reason: Sendable, Equatable {
      /// Whatever line decides.
      case any
      case line(Int)
      /// No rule matches.
      case fallback
      /// The line with this canonical text.
      case rule(String)
    }
  }

  /// Reads a file. Any bytes give a result; ``diagnostics`` says what is wrong.
  public init(_ bytes: [UInt8]) {
    text = SourceText(bytes)
    if let mark = ByteOrderMark(of: bytes) {
      report(mark.complaint, at: SourceRange(0, 0), hint: mark.hint)
      return
    }
    var number = 0
    var start = 0
    // Facts are collected a case, because `op` may stand on any of its lines.
    var given: [(name: String, value: String, range: SourceRange)] = []
    while start <= bytes.count {
      number += 1
      let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
      let words = Self.words(bytes, start..<end)
      if let first = words.first {
        switch text.text(first) {
        case "case":
          finish(&given)
          openCase(words, line: number, end: end)
        case "given" where !cases.isEmpty:
          for word in words.dropFirst() {
            let wordText = text.text(word)
            guard let equals = wordText.firstIndex(of: "=") else {
              report("a fact is written name=value", at: word)
              continue
            }
            given.append((String(wordText[..<equals]), String(wordText[wordText.index(after: equals)...]), word))
          }
        case "expect" where !cases.isEmpty: expect(words)
        default: report("expected `case \"NAME\"`, `given` or `expect`", at: first)
        }
      }
      start = end + 1
    }
    finish(&given)
    if cases.isEmpty, diagnostics.isEmpty { report("the file holds no case", at: SourceRange(0, 0)) }
    if let omitted { diagnostics.append(.notListed(omitted.count, from: omitted.first, in: text)) }
  }

  private mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
    guard diagnostics.count < Self.diagnosticLimit else {
      omitted = (omitted?.first ?? range, (omitted?.count ?? 0) + 1)
      return
    }
    diagnostics.append(PolicyDiagnostic(.error, "cases.syntax", message, at: range, in: text, hint: hint))
  }

  /// Words between blanks, without a comment.
  private static func words(_ bytes: [UInt8], _ line: Range<Int>) -> [SourceRange] {
    var words: [SourceRange] = []
    var cursor = line.lowerBound
    while cursor < line.upperBound {
      if bytes[cursor] == 0x23 { break }
      if bytes[cursor] <= 0x20 {
        cursor += 1
        continue
      }
      let start = cursor
      // A quoted name may hold blanks and `#`.
      let isQuoted = bytes[cursor] == 0x22
      cursor += 1
      while cursor < line.upperBound {
        if isQuoted ? bytes[cursor - 1] == 0x22 && cursor - 1 > start : bytes[cursor] <= 0x20 { break }
        cursor += 1
      }
      words.append(SourceRange(start, cursor))
    }
    return words
  }

  private mutating func openCase(_ words: [SourceRange], line: Int, end: Int) {
    let name = words.count == 2 ? text.text(words[1]) : ""
    if !(name.count > 2 && name.hasPrefix("\"") && name.hasSuffix("\"")) {
      report("a case has a name in quotes", at: words[0], hint: "case \"what is tested\"")
    }
    cases.append(Case(name: String(name.dropFirst().dropLast()), line: line, facts: nil, expectation: nil))
  }

  private mutating func expect(_ words: [SourceRange]) {
    let parts = words.map { text.text($0) }
    guard let last = cases.indices.last else { return }
    guard cases[last].expectation == nil else { return report("the case expects something already", at: words[0]) }
    guard parts.count >= 2, let action = Action(rawValue: parts[1]) else {
      return report("expected ALLOW or DENY", at: words[min(1, words.count - 1)])
    }
    let rest = parts.dropFirst(2)
    let reason: Expectation.Reason?
    switch (rest.first, rest.dropFirst().first) {
    case (nil, _): reason = .any
    case ("at", "line") where rest.count == 3: reason = Int(rest[rest.startIndex + 2]).map { .line($0) }
    case ("by", "DEFAULT") where rest.count == 2: reason = .fallback
    case ("by", .some): reason = .rule(rest.dropFirst().joined(separator: " "))
    default: reason = nil
    }
    guard let reason else {
      return report(
        "expected nothing, `at line N`, `by DEFAULT`, or `by` and a rule's text", at: words[min(2, words.count - 1)])
    }
    cases[last].expectation = Expectation(action: action, reason: reason)
  }

  /// Makes the facts of the case that ends here.
  private mutating func finish(_ given: inout [(name: String, value: String, range: SourceRange)]) {
    defer { given = [] }
    guard let last = cases.indices.last else { return }
    let place = given.first?.range ?? SourceRange(text.bytes.count, text.bytes.count)
    guard let operation = given.first(where: { $0.name == "op" }) else {
      return report("the case `\(cases[last].name)` does not say op=", at: place)
    }
    guard operation.value == "UNKNOWN" || Operation(rawValue: operation.value) != nil else {
      return report("there is no operation `\(operation.value)`", at: operation.range)
    }
    var facts = Facts(operation: Operation(rawValue: operation.value))
    for fact in given where fact.range != operation.range {
      guard fact.name != "op" else {
        report("the case has two operations", at: fact.range)
        continue
      }
      do throws(FactProblem) {
        try facts.set(fact.name, fact.value)
      } catch {
        report("`\(fact.name)`: \(error.explanation)", at: fact.range)
      }
    }
    if let contradiction = facts.contradiction { report(contradiction.explanation, at: place) }
    guard cases[last].expectation != nil else {
      return report(
        "the case `\(cases[last].name)` expects nothing", at: place, hint: "add: expect ALLOW, or expect DENY")
    }
    cases[last].facts = facts
  }
}
