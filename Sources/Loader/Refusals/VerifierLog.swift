internal import Base
/// The verifier's log, read for what a person wants to know first: why, at which instruction, at which source line.
///
/// The layout is that of kernel/bpf/verifier.c and log.c with log level 1. It is no stable interface, so everything
/// here is optional, and the whole log is always kept beside it. Since Linux 7.3 a report for people follows the
/// verifier's own sentence (``VerifierReport``).
struct VerifierLog: Equatable, Sendable {
  /// The verifier's own words, at most three sentences with semicolons between them; nil when it says nothing.
  var reason: String? { sentences.isEmpty ? nil : sentences.prefix(3).joined(separator: "; ") }
  /// What it says after the last instruction it looked at.
  private(set) var sentences: [String] = []
  /// The instruction that was being checked: its index, and its text where the log prints one.
  private(set) var instruction: Instruction?
  /// The last source line the log quotes, with file and line where the kernel prints them (6.9 and later).
  private(set) var source: SourceLine?
  /// What the kernel itself says about the refusal, for people (7.3 and later).
  private(set) var report: VerifierReport?
  /// The log's last lines, as they are.
  private(set) var tail: [String]

  struct Instruction: Equatable, Sendable {
    let index: Int
    let text: String?
  }

  struct SourceLine: Equatable, Sendable {
    var code: String
    var file: String?
    var line: Int?
  }

  /// Reads a log; any text at all is a log.
  init(_ text: String, tailLines: Int = 20) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    tail = lines.suffix(tailLines).map { String($0) }
    let reportStart = lines.firstIndex { $0.hasPrefix(VerifierReport.beginning) } ?? lines.endIndex
    if reportStart < lines.endIndex { report = VerifierReport(lines[reportStart...]) }
    for line in lines[..<reportStart] {
      if let quoted = Self.sourceLine(line) {
        source = quoted
      } else if let found = Self.instruction(line) {
        // A later instruction makes an earlier sentence history.
        instruction = found
        sentences = []
      } else if !Self.isBookkeeping(line) {
        sentences.append(String(line))
      }
    }
    // Nothing was processed: what failed are the steps before (type information, CO-RE records), which say what they do
    // before they say what is wrong.
    if instruction == nil, lines.contains(where: { $0.hasPrefix("processed 0 insns") }) {
      sentences.removeFirst(max(0, sentences.count - 1))
    }
    if let report {
      if sentences.isEmpty { sentences = [report.title] + report.reason }
      if instruction == nil, let index = report.instruction { instruction = Instruction(index: index, text: nil) }
    }
    if instruction == nil, let index = sentences.lazy.compactMap({ Self.instructionIndex(named: $0) }).first {
      instruction = Instruction(index: index, text: nil)
    }
  }

  /// `; code @ file.c:12`, or `; code` from an older kernel.
  private static func sourceLine(_ line: Substring) -> SourceLine? {
    guard line.hasPrefix("; ") else { return nil }
    let content = line.dropFirst(2)
    if let at = content.lastRange(of: " @ "), let colon = content[at.upperBound...].lastIndex(of: ":"),
      let number = Int(content[content.index(after: colon)...])
    {
      return SourceLine(
        code: trimmed(content[..<at.lowerBound]), file: String(content[at.upperBound..<colon]), line: number)
    }
    return SourceLine(code: trimmed(content), file: nil, line: nil)
  }

  /// `12: (79) r1 = *(u64 *)(r2 +8)`, where a register state may follow after a semicolon.
  private static func instruction(_ line: Substring) -> Instruction? {
    guard let colon = line.firstIndex(of: ":"), let index = Int(line[..<colon]) else { return nil }
    let rest = line[line.index(after: colon)...].drop { $0 == " " }
    let utf8 = Array(rest.utf8.prefix(4))
    guard utf8.count == 4, utf8[0] == UInt8(ascii: "("), utf8[3] == UInt8(ascii: ")") else { return nil }
    let text = rest.firstPlace(of: " ; ").map { rest[..<$0.lowerBound] } ?? rest
    return Instruction(index: index, text: trimmed(text))
  }

  /// Lines that say how far the verifier got, not what it disliked.
  private static func isBookkeeping(_ line: Substring) -> Bool {
    let beginnings = [
      "processed ", "verification time", "stack depth", "mark_precise:", "last_idx", "regs=", "parent ",
      "max_states", "func#", "Validating ", "Live regs before insn", "Func#", "caller:", "callee:", "frame",
      "returning from callee", "to caller at", "propagating ",
    ]
    if beginnings.contains(where: { line.hasPrefix($0) }) { return true }
    // `12: R1=ctx() R10=fp0`, `from 3 to 7: R0=...`, `; 12: safe`: register states.
    if line.hasPrefix("from "), line.mentions(": ") { return true }
    guard let colon = line.firstIndex(of: ":") else { return false }
    return Int(line[..<colon]) != nil
  }

  /// The instruction a sentence names by itself: `unreachable insn 4`, `back-edge from insn 9 to 2`.
  private static func instructionIndex(named reason: String) -> Int? {
    guard let range = reason.firstPlace(of: "insn ") else { return nil }
    return Int(reason[range.upperBound...].prefix { ("0"..."9").contains($0) })
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text.drop { $0 == " " || $0 == "\t" })
  }
}

extension Substring {
  /// The last occurrence of a text.
  fileprivate func lastRange(of text: String) -> Range<Index>? {
    var last = firstPlace(of: text)
    while let found = last, let next = self[found.upperBound...].firstPlace(of: text) { last = next }
    return last
  }
}
