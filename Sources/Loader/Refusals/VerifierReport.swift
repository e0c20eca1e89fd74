/// The report that the verifier writes for people at the end of its log, since Linux 7.3 (kernel/bpf/diagnostics.c):
/// a title, then sections that begin with a word and a colon, their lines indented.
struct VerifierReport: Equatable, Sendable {
  /// `Register Type Safety: Unreadable register`.
  let title: String
  /// Why, in the kernel's words.
  private(set) var reason: [String] = []
  /// What the kernel suggests to do.
  private(set) var suggestion: [String] = []
  /// The instruction it is about.
  private(set) var instruction: Int?

  /// How its first line begins.
  static let beginning = "Verification failed: "

  /// Reads the lines from the first of the report on; sections it does not know are passed over.
  init(_ lines: ArraySlice<Substring>) {
    title = String((lines.first ?? "").dropFirst(Self.beginning.count))
    var section: Substring = ""
    for line in lines.dropFirst() {
      if line.first != " ", line.first != "\t" {
        // The verifier's statistics come after it.
        guard line.hasSuffix(":") else { return }
        section = line.dropLast()
        continue
      }
      let text = String(line.drop { $0 == " " || $0 == "\t" })
      switch section {
      case "Reason": reason.append(text)
      case "Suggestion": suggestion.append(text)
      case "At" where instruction == nil: instruction = Self.instruction(text)
      default: break
      }
    }
  }

  /// `insn 7`, or the marked line of the instructions around it, `>>> 7 | (71) r1 = *(u8 *)(r1 +0)`. Lines of source
  /// are marked alike, but no source begins with an opcode.
  private static func instruction(_ text: String) -> Int? {
    if text.hasPrefix("insn ") { return Int(text.dropFirst(5).prefix { ("0"..."9").contains($0) }) }
    let parts = text.split(separator: "|", maxSplits: 1)
    guard text.hasPrefix(">>> "), parts.count == 2, parts[1].hasPrefix(" (") else { return nil }
    let opcode = parts[1].dropFirst(2).prefix { $0 != ")" }
    guard opcode.utf8.count == 2, UInt8(opcode, radix: 16) != nil else { return nil }
    return Int(parts[0].dropFirst(4).prefix { ("0"..."9").contains($0) })
  }
}
