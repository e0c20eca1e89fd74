extension PolicyDocument {
  /// The most diagnostics that are kept; a text with more is not a policy with mistakes, it is another kind of file.
  static let diagnosticLimit = 200

  /// Reads a policy. Any bytes at all give a document; ``isValid`` says whether it can be used.
  ///
  /// In the kernel's dialect the errors are exactly what `ipe_parse_policy` of Linux 6.12 refuses, each with its
  /// errno; what the kernel lets slip is a warning. In this project's own dialect those are errors as well.
  public static func parse(_ bytes: [UInt8], dialect: Dialect) -> PolicyDocument {
    let text = SourceText(bytes)
    let parser = PolicyParser(document: PolicyDocument(text: text, dialect: dialect, syntax: SyntaxLines(text)))
    parser.run()
    return parser.document
  }

  /// Who a policy is, by its header alone; nil when the first of the lines that is not empty is none.
  ///
  /// - Parameter lines: the beginning of a policy, up to the end of a line.
  public static func header(in lines: [UInt8], dialect: Dialect) -> Header? {
    let text = SourceText(lines)
    let parser = PolicyParser(document: PolicyDocument(text: text, dialect: dialect, syntax: SyntaxLines(text)))
    guard let first = parser.document.syntax.lines.first(where: { !$0.significant.isEmpty }) else { return nil }
    parser.parseHeader(parser.document.syntax.words(of: first), of: first)
    return parser.document.header
  }

  init(text: SourceText, dialect: Dialect, syntax: SyntaxLines) {
    self.text = text
    self.dialect = dialect
    self.syntax = syntax
  }

  /// What the kernel's parser alone answers, before the name becomes a directory; nil when it accepts the text.
  ///
  /// Meaningful for documents of the kernel's dialect: the parser stops at its first error, and that is the first here.
  public var parserAnswer: KernelError? { diagnostics.lazy.compactMap { $0.kernelError }.first }
}

/// The walk over the lines. One error a line is reported, and the next line is read as if nothing had happened.
///
/// A class, so that messages can be put off until it is known that they are wanted.
final class PolicyParser {
  var document: PolicyDocument

  var text: SourceText { document.text }
  var isKernel: Bool { document.dialect == .kernel }
  /// How grave something is that the kernel lets slip.
  var lapse: PolicyDiagnostic.Severity { isKernel ? .warning : .error }

  /// The defaults seen so far with their lines; one without an operation is for all. There are a handful, and a dictionary
  /// would take the runtime longer to set up than a small policy takes to read.
  private var fallbacks: [(operation: Operation?, line: Int)] = []

  /// The line of a default.
  private func fallbackLine(of operation: Operation?) -> Int? {
    fallbacks.first { $0.operation == operation }?.line
  }

  /// Where the first of the diagnostics is that are not kept, and how many they are.
  private var omitted: (first: SourceRange, count: Int)?

  init(document: PolicyDocument) { self.document = document }

  func run() {
    defer { reportOmitted() }
    var sawHeader = false
    for line in document.syntax.lines {
      checkBytes(of: line)
      guard !line.significant.isEmpty else { continue }
      let words = document.syntax.words(of: line)
      if sawHeader {
        parseStatement(words, of: line)
      } else {
        sawHeader = true
        parseHeader(words, of: line)
      }
    }
    checkEnd()
    guard sawHeader else {
      report(
        "policy.empty", "the text holds no policy", at: SourceRange(0, 0), .badMessage,
        hint: "begin with policy_name=NAME policy_version=1.0.0")
      return
    }
    checkFallbacks()
  }

  /// Adds an error.
  func report(
    _ code: String, _ message: @autoclosure () -> String, at range: SourceRange, _ kernelError: KernelError?,
    hint: @autoclosure () -> String? = nil
  ) {
    report(.error, code, message(), at: range, kernelError, hint: hint())
  }

  func report(
    _ severity: PolicyDiagnostic.Severity, _ code: String, _ message: @autoclosure () -> String,
    at range: SourceRange, _ kernelError: KernelError? = nil, hint: @autoclosure () -> String? = nil
  ) {
    guard document.diagnostics.count < PolicyDocument.diagnosticLimit || isFirstError(severity) else {
      omitted = (omitted?.first ?? range, (omitted?.count ?? 0) + 1)
      return
    }
    let diagnostic = PolicyDiagnostic(
      severity, code, message(), at: range, in: text, hint: hint(), kernelError: kernelError)
    document.diagnostics.append(diagnostic)
  }

  /// A list that was cut says so.
  private func reportOmitted() {
    guard let omitted else { return }
    document.diagnostics.append(.notListed(omitted.count, from: omitted.first, in: text))
  }

  /// However many warnings came before, the first error is kept: validity depends on it.
  private func isFirstError(_ severity: PolicyDiagnostic.Severity) -> Bool {
    severity == .error && !document.diagnostics.contains { $0.severity == .error }
  }

  /// A word of the policy, for messages: cut when it is long, without control bytes.
  func quoted(_ range: SourceRange) -> String {
    let shown = PolicyDiagnostic.printable(text[range].prefix(80))
    return "`\(shown)\(range.count > 80 ? "…" : "")`"
  }
}

// MARK: - Header

extension PolicyParser {
  fileprivate func parseHeader(_ words: ArraySlice<SourceRange>, of line: SyntaxLine) {
    var nameRange: SourceRange?
    var version: (value: PolicyVersion, range: SourceRange)?
    var enforcing = true
    for (index, word) in words.enumerated() {
      switch index {
      case 0:
        guard let value = valueRange(of: word, after: "policy_name=") else {
          if let mark = ByteOrderMark(of: text.bytes), word.start == 0 {
            return report("policy.byte-order-mark", mark.complaint, at: word, .badMessage, hint: mark.hint)
          }
          let found = quoted(word)
          return report(
            "policy.header", "the policy's first line begins with \(found), not with policy_name=", at: word,
            .badMessage,
            hint: "policy_name=NAME policy_version=1.0.0")
        }
        nameRange = value
      case 1:
        guard let value = valueRange(of: word, after: "policy_version=") else {
          let found = quoted(word)
          return report(
            "policy.header", "the header's second word is \(found), not policy_version=", at: word, .badMessage,
            hint: "policy_name=NAME policy_version=1.0.0")
        }
        do throws(KernelError) {
          version = (try PolicyVersion(parsing: text[value]), value)
        } catch {
          return reportVersion(value, error)
        }
      case 2 where !isKernel && text[word].elementsEqual("x_enforcing=TRUE".utf8): break
      case 2 where !isKernel && text[word].elementsEqual("x_enforcing=FALSE".utf8):
        enforcing = false
        report(
          .warning, "policy.permissive", "this policy only records what it denies, and lets it happen", at: word,
          hint: "remove x_enforcing=FALSE when the records look right")
      default:
        let found = quoted(word)
        return report(
          "policy.header", "the header has two words, and \(found) is one more", at: word, .badMessage,
          hint: isKernel ? "rules go on lines of their own" : "only x_enforcing=TRUE or x_enforcing=FALSE can follow")
      }
    }
    guard let nameRange, let version else {
      return report(
        "policy.header", "the header lacks policy_version=", at: line.significant, .badMessage,
        hint: "policy_name=NAME policy_version=1.0.0")
    }
    document.header = PolicyDocument.Header(
      name: Array(text[nameRange]), nameRange: nameRange, version: version.value, versionRange: version.range,
      enforcing: enforcing)
    checkHeader()
  }

  private func reportVersion(_ range: SourceRange, _ error: KernelError) {
    let found = quoted(range)
    switch error {
    case .range:
      report("policy.version", "a part of the version \(found) is above 65535", at: range, error)
    case .invalid:
      report("policy.version", "a part of the version \(found) is no number", at: range, error, hint: "write 1.0.0")
    case .badMessage, .access, .nameTooLong, .exists, .stale, .messageSize:
      report("policy.version", "the version \(found) has not three parts", at: range, error, hint: "write 1.0.0")
    }
  }

  /// What follows a prefix in a word, when it has the prefix and at least one byte more (`match_token` with `%s`).
  func valueRange(of word: SourceRange, after prefix: String) -> SourceRange? {
    guard word.count > prefix.utf8.count, text[word].starts(with: prefix.utf8) else { return nil }
    return word.dropFirst(prefix.utf8.count)
  }
}

// MARK: - Rules and defaults

extension PolicyParser {
  private func parseStatement(_ words: ArraySlice<SourceRange>, of line: SyntaxLine) {
    // The kernel takes the last word for the action, whatever it is, and reads it after the others.
    guard let first = words.first, let last = words.last else { return }
    var operation: Operation?
    var properties: [PolicyDocument.Property] = []
    var enforcing: (value: Bool, range: SourceRange)?
    var rest = words.dropLast()
    let isFallback = rest.first.map { text[$0].elementsEqual("DEFAULT".utf8) } ?? false
    if isFallback { rest = rest.dropFirst() }
    for word in rest {
      if operation == nil {
        guard let value = parseOperation(word) else { return }
        operation = value
      } else if isEnforcement(word) {
        guard let value = parseEnforcement(word, isSecond: enforcing != nil) else { return }
        enforcing = (value, word)
      } else {
        guard let property = parseProperty(word) else { return }
        properties.append(property)
      }
    }
    guard let action = parseAction(last, isOnlyWord: words.count == 1) else { return }
    if isFallback, let property = properties.first {
      return report(
        "policy.default-property", "a DEFAULT cannot have properties", at: property.range, .badMessage,
        hint: "write a rule without DEFAULT")
    }
    if !isFallback, operation == nil {
      return report(
        "policy.no-operation", "the rule names no operation", at: last, .badMessage,
        hint: "begin with op=…, or with DEFAULT")
    }
    let statement = PolicyDocument.Statement(
      kind: isFallback ? .fallback : .rule, operation: operation, properties: properties, action: action,
      enforcing: enforcing?.value, range: SourceRange(Int(first.start), Int(last.end)),
      line: text.position(of: Int(first.start)).line)
    if let enforcing, !checkEnforcement(enforcing.value, of: statement, at: enforcing.range) { return }
    if isFallback {
      if let earlier = fallbackLine(of: operation) {
        let subject = operation.map { "op=\($0.rawValue)" } ?? "all operations"
        return report(
          "policy.duplicate-default", "a second DEFAULT for \(subject); line \(earlier) has one", at: statement.range,
          .badMessage, hint: "remove one of them")
      }
      fallbacks.append((operation, statement.line))
    } else {
      checkMatches(statement)
    }
    document.statements.append(statement)
  }

  private func parseOperation(_ word: SourceRange) -> Operation? {
    if isEnforcement(word) {
      report(
        "policy.enforcing", "x_enforcing stands before op=", at: word, nil,
        hint: "for the whole policy it is the header's third word, for an operation write DEFAULT op=… x_enforcing=…")
      return nil
    }
    guard text[word].starts(with: "op=".utf8) else {
      let found = quoted(word)
      report(
        "policy.no-operation", "\(found) stands where op= must", at: word, .badMessage,
        hint: "a rule is: op=OPERATION PROPERTY=VALUE … action=ALLOW or DENY")
      return nil
    }
    let value = word.dropFirst(3)
    if let operation = Operation(rawValue: text.text(value)), document.dialect.operations.contains(operation) {
      return operation
    }
    if isKernel, text[value].elementsEqual("BPF_PROG_LOAD".utf8) {
      report(
        "policy.not-mainline", "op=BPF_PROG_LOAD is evaluated by verity-bpf; no mainline kernel's parser knows it",
        at: word, .badMessage, hint: "`verity-bpf policy convert` strips such rules")
      return nil
    }
    let known = document.dialect.operations.map { $0.rawValue }
    let found = quoted(value)
    report(
      "policy.unknown-operation", "there is no operation \(found)", at: value, .badMessage,
      hint: Suggestion.hint(for: text.text(value), among: known))
    return nil
  }

  private func parseAction(_ word: SourceRange, isOnlyWord: Bool) -> Action? {
    for action in Action.allCases where text[word].elementsEqual("action=\(action.rawValue)".utf8) { return action }
    let found = quoted(word)
    if text[word].starts(with: "action=".utf8) {
      let value = word.dropFirst(7)
      report(
        "policy.bad-action", "there is no action \(quoted(value))", at: value, .badMessage,
        hint: "write action=ALLOW or action=DENY")
    } else if isOnlyWord {
      report(
        "policy.bad-action", "\(found) alone is no rule", at: word, .badMessage,
        hint: "a rule is: op=OPERATION PROPERTY=VALUE … action=ALLOW or DENY")
    } else {
      report(
        "policy.bad-action", "the line ends in \(found), not in an action", at: word, .badMessage,
        hint: "action=ALLOW or action=DENY must be the last word")
    }
    return nil
  }

  /// `validate_policy` of the kernel: without a default for everything, each operation needs its own.
  private func checkFallbacks() {
    guard fallbackLine(of: nil) == nil else { return }
    let missing = document.dialect.operations.filter { fallbackLine(of: $0) == nil }
    guard !missing.isEmpty else {
      return report(
        .warning, "policy.no-global-default",
        "there is a DEFAULT for each operation known today, and none for those to come", at: SourceRange(0, 0),
        hint: "add DEFAULT action=DENY")
    }
    let place = document.header?.nameRange ?? SourceRange(0, 0)
    let list = missing.map { $0.rawValue }.joined(separator: ", ")
    // A policy that lacks only the default of this project's own operation is complete to the kernel.
    let kernelError: KernelError? = missing == [.bpfProgLoad] ? nil : .badMessage
    report(
      "policy.no-default", "nothing says what happens when no rule matches (\(list))", at: place, kernelError,
      hint: "add DEFAULT action=DENY")
  }
}
