import Base
import KernelABI
import Linux

/// Printing, the same for every subcommand: people's text and JSON on standard output, diagnostics on standard error.
enum Output {
  /// A line for people on standard output.
  static func line(_ text: String) throws { try write(text.visibleLine) }

  /// Several lines for people on standard output.
  static func lines(_ text: String) throws { try write(text.visible) }

  private static func write(_ text: String) throws { try bytes(Array("\(text)\n".utf8)) }

  /// A file's contents on standard output, as they are.
  static func bytes(_ bytes: [UInt8]) throws(OutputFailure) {
    do throws(SystemError) {
      try StandardStream.output.write(bytes)
    } catch {
      throw OutputFailure(text: String(decoding: bytes, as: UTF8.self), error: error)
    }
  }

  /// One JSON object on one line.
  static func json(_ value: JSONValue) throws { try write(value.compact) }

  /// A line on standard error. Nothing can be said when that fails.
  static func note(_ text: String) { put(text.visibleLine) }

  /// Several lines on standard error.
  static func notes(_ text: String) { put(text.visible) }

  private static func put(_ text: String) { try? StandardStream.error.write(text + "\n") }

  /// A warning: something the user should know that does not change the result.
  static func warning(_ code: String, _ message: String, next: String? = nil) {
    let step = next.map { "\n" + row("next", $0).visibleLine } ?? ""
    put("\(emphasis("warning", color: 33))[\(code)]: \(message.visibleLine)\(step)")
  }

  /// A diagnostic with its expected, found, why and next rows.
  static func report(_ diagnostic: Diagnostic) {
    try? StandardStream.error.write(text(of: diagnostic))
  }

  /// The lines that a diagnostic is printed as.
  static func text(of diagnostic: Diagnostic) -> String {
    var lines = ["\(emphasis("error", color: 31))[\(diagnostic.code)]: \(diagnostic.message.visibleLine)"]
    let rows: [(String, String?)] = [
      ("found", diagnostic.found), ("expected", diagnostic.expected), ("why", diagnostic.why),
    ]
    for case (let label, let text?) in rows { lines.append(row(label, text).visibleLine) }
    lines += diagnostic.details.map { "    | \($0)".visibleLine }
    if let next = diagnostic.next { lines.append(row("next", next).visibleLine) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// A label in a column of its own, then the text.
  static func row(_ label: String, _ text: String) -> String {
    "  " + label + String(repeating: " ", count: max(1, 10 - label.count)) + text
  }

  private static func emphasis(_ text: String, color: Int) -> String {
    guard StandardStream.error.isTerminal, Environment.value("NO_COLOR") == nil else { return text }
    return "\u{1b}[1;\(color)m\(text)\u{1b}[0m"
  }
}

/// A failure that is ready to be printed.
struct DiagnosedFailure: Diagnosable {
  let diagnostic: Diagnostic
  init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }
}

extension Diagnostic {
  /// The diagnostic as the `error` member of a JSON answer.
  var json: JSONValue {
    var members: [JSONValue.Member] = [.init("code", .string(code)), .init("message", .string(message))]
    let optional: [(String, String?)] = [("expected", expected), ("found", found), ("why", why), ("next", next)]
    for case (let name, let text?) in optional { members.append(.init(name, .string(text))) }
    if !details.isEmpty { members.append(.init("details", .array(details.map { .string($0) }))) }
    return .object(members)
  }
}

/// The frame of every run.
enum Diagnosing {
  /// Does the work, prints the diagnostic it fails with, and returns the exit code.
  ///
  /// - Throws: only what is no diagnostic, such as a usage error.
  ///
  /// - Parameters:
  ///   - schema: the `schema` of the run's JSON, in which a failure is told too where `wantsJSON`.
  ///   - makesThings: whether something has to be removed when the run is told to stop.
  ///   - done: what is done by the time the command prints; nil for one that only tells.
  static func status(
    schema: String, makesThings: Bool, wantsJSON: Bool, done: String?, _ work: () throws -> Int32
  ) rethrows -> Int32 {
    // Who leaves nothing behind need not wait for the thread that would remove it.
    if makesThings { Cleanup.onTermination() }
    do {
      return try work()
    } catch let failure as OutputFailure {
      if let done { return report(failure.untold(done)) }
      // As any other tool ends whose reader went away.
      if failure.error.code == .epipe { ProcessImage.endByBrokenPipe() }
      return report(failure.diagnostic)
    } catch let error as any Diagnosable {
      let diagnostic = error.diagnostic
      Output.report(diagnostic)
      if wantsJSON {
        try? Output.json(.object([.init("schema", .string(schema)), .init("error", diagnostic.json)]))
      }
      return diagnostic.category.rawValue
    }
  }
  private static func report(_ diagnostic: Diagnostic) -> Int32 {
    Output.report(diagnostic)
    return diagnostic.category.rawValue
  }
}

/// A number of things, by the word for one of them.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
