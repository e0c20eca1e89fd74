import Workbench
import TestSupport
import Testing

@testable import verity_bpf

/// A command that a message advises is one that is understood.
@Suite struct NextStepTests {
  /// Command lines in a text: between backticks, and without them where a text begins or a colon stands before, up to
  /// its end or a semicolon.
  private static func advised(in text: String) -> [String] {
    let pieces = text.split(separator: "`", omittingEmptySubsequences: false)
    return pieces.enumerated().flatMap { index, piece -> [String] in
      guard index % 2 == 0 else { return piece.hasPrefix("verity-bpf ") ? [String(piece)] : [] }
      return piece.matches(of: #/(?:^|: |; )(verity-bpf [^;]*)/#).map { String($0.1) }
    }
  }

  /// Whether the word behind the name is a command's; other texts begin with the project's name too.
  private static func namesCommand(_ line: String) -> Bool {
    let verb = line.split(separator: " ").dropFirst().first ?? ""
    return VerityBPF.root.children.contains { $0.name == verb }
  }

  /// What a placeholder stands for where not every word will do.
  private static func filled(_ word: String) -> String {
    switch word {
    case "N": "3"
    case "HASH": String(repeating: "0f", count: 32)
    default: word
    }
  }

  /// The refusal of a line, if it is one. The name of a command alone stands for it and needs no arguments.
  private static func refusal(of line: String) -> String? {
    for words in CommandFixture.commands(in: line) {
      var path = VerbPath(VerityBPF.root)
      guard words.first == "verity-bpf" else { return "begins with \(words.first ?? "nothing")" }
      let rest = words.dropFirst().drop { path.descend(to: $0) }
      if rest.isEmpty, words.count > 1 { continue }
      let answer = ReplayTests.answer(to: words.dropFirst().map { filled($0) })
      guard answer.status == 0 else { return answer.meaning }
    }
    return nil
  }

  @Test func ofTheCatalogue() {
    var count = 0
    for code in ErrorCatalogue.codes {
      for line in Self.advised(in: ErrorCatalogue.paragraph(code) ?? "") where Self.namesCommand(line) {
        count += 1
        #expect(Self.refusal(of: line) == nil, "\(code): \(line)")
      }
    }
    #expect(count > 5)
  }

  /// Texts of the sources that name a command, and every next step; what is filled in at run time is a word.
  @Test func ofTheSources() throws {
    let texts = try Tools.run(
      "grep", "-rhoE", "--include=*.swift", #"(next: )?"([^"\\]|\\.)*""#, "\(Tools.repository)/Sources")
    var count = 0
    for text in texts.split(separator: "\n") {
      let plain = text.drop { $0 != "\"" }.dropFirst().dropLast()
        .replacing(#/\\\(dialect[^)]*\)/#, with: "kernel").replacing(#/\\\(number\)/#, with: "3")
        .replacing(#/\\\((?:[^()]|\([^()]*\))*\)/#, with: "X")
      for line in Self.advised(in: String(plain)) {
        guard text.hasPrefix("next: ") || Self.namesCommand(line) else { continue }
        count += 1
        #expect(Self.refusal(of: line) == nil, "\(line)")
      }
    }
    #expect(count > 40)
  }
}
