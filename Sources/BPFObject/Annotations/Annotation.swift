public import KernelABI

/// What the author of an object says that one of its programs may do in one lockdown mode (include/verity_bpf.h).
public struct Annotation: Equatable, Sendable {
  /// The program's name.
  public let program: String
  /// `integrity` or `confidentiality`.
  public let mode: LockdownMode
  /// What it may do besides what every program may.
  public let powers: [ProgramPower]

  /// The section that holds annotations: lines `PROGRAM MODE: WORD …`, each ending in a line feed and a NUL.
  static let sectionName = ".verity_bpf"

  /// Reads an object's annotations, and what it declares to read.
  ///
  /// - Parameter programs: the names of its programs, each of which can have one annotation a mode.
  static func read(_ elf: ELFFile, programs: Set<String>) throws(BPFObjectError)
    -> (annotations: [Annotation], reads: [ReadDeclaration])
  {
    guard let section = try elf.section(named: sectionName), section.size > 0 else { return ([], []) }
    let bytes = try elf.contents(of: section, check: .annotation).bytes
    guard bytes.last == 0 else { throw truncated() }
    var annotations: [Annotation] = []
    var reads: [ReadDeclaration] = []
    var seen: Set<Statement> = []
    // Compilers may put zeros between the lines.
    for record in bytes.split(separator: 0) {
      guard record.last == 0x0a else { throw truncated() }
      guard let line = String(validating: record.dropLast(), as: UTF8.self) else { throw truncated() }
      let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      guard words.count == 3, words[1].hasSuffix(":") else { throw truncated() }
      let program = String(words[0])
      guard programs.contains(program) else {
        throw BPFObjectError(
          .annotationProgram, "an annotation is about a program that the object does not have",
          found: "`\(program)`", next: "correct the name in VERITY_BPF_MAY or VERITY_BPF_READS")
      }
      let statement: Statement
      if words[1] == ReadDeclaration.keyword {
        reads.append(try ReadDeclaration.parse(program: program, words[2]))
        statement = Statement(program: program, mode: nil)
      } else {
        let annotation = try parse(program: program, mode: words[1].dropLast(), words[2])
        annotations.append(annotation)
        statement = Statement(program: program, mode: annotation.mode)
      }
      guard seen.insert(statement).inserted else {
        throw BPFObjectError(
          .annotationTwice, "two annotations say the same of `\(program)`: `\(words[1])`", expected: "one",
          next: "put everything into one VERITY_BPF_MAY or VERITY_BPF_READS")
      }
    }
    return (annotations, reads)
  }

  /// What can be said of a program once.
  private struct Statement: Hashable {
    let program: String
    /// Nil for what it reads.
    let mode: LockdownMode?
  }

  private static func truncated() -> BPFObjectError {
    BPFObjectError(
      .annotation, "section `\(sectionName)` is cut short or damaged",
      expected: "lines `PROGRAM MODE: WORD …`, each with a line feed and a NUL",
      next: "write annotations with VERITY_BPF_MAY of verity_bpf.h")
  }

  private static func parse(
    program: String, mode name: Substring, _ text: Substring
  ) throws(BPFObjectError) -> Annotation {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard !words.isEmpty else { throw truncated() }
    let mode = LockdownMode(rawValue: String(name))
    guard let mode, mode != .none else {
      throw BPFObjectError(
        .annotationWord, "an annotation names a lockdown mode that does not exist",
        expected: "integrity, confidentiality or reads", found: "`\(name)`")
    }
    var powers: [ProgramPower] = []
    for word in words where !(word == "nothing" && words.count == 1) {
      guard let power = ProgramPower(rawValue: String(word)) else {
        throw BPFObjectError(
          .annotationWord, "an annotation has a word that nobody knows",
          expected: "nothing, or some of \(ProgramPower.allCases.map(\.rawValue).joined(separator: ", "))",
          found: "`\(word)`", why: "a word that is passed over could be the one that matters")
      }
      powers.append(power)
    }
    return Annotation(program: program, mode: mode, powers: powers.sorted())
  }
}
