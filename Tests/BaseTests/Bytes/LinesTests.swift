import Base
import Testing

/// Lines of texts that come in pieces, forwards and backwards.
@Suite struct LinesTests {
  /// The lines as a reader of the whole text has them: a line feed ends a line.
  private static func lines(of text: [UInt8], limit: Int) -> [TextLine] {
    var lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.count > limit ? .tooLong : .line($0) }
  }

  private static func backwards(_ text: [UInt8], pieceBytes: Int, limit: Int) throws -> [TextLine] {
    let source = ArraySource(text)
    var reader = ReversedLines(byteCount: UInt64(text.count), pieceBytes: pieceBytes, limit: limit)
    var lines: [TextLine] = []
    while let line = try reader.next(from: source) { lines.append(line) }
    return lines
  }

  private static func forwards(_ text: [UInt8], pieces: [Int], limit: Int) -> [TextLine] {
    var splitter = LineSplitter(limit: limit)
    var lines: [TextLine] = []
    var start = 0
    for size in pieces + [text.count] {
      let end = min(text.count, start + size)
      var piece = text[start..<end]
      while let line = splitter.next(&piece) { lines.append(line) }
      start = end
    }
    if let line = splitter.last() { lines.append(line) }
    return lines
  }

  @Test(arguments: ["", "\n", "\n\n", "a", "a\n", "\na", "a\nb", "a\n\nb\n", "\n\n\nabc\n\n", "abc\ndef\nghi"])
  func shortTexts(_ text: String) throws {
    let bytes = Array(text.utf8)
    let expected = Self.lines(of: bytes, limit: 100)
    for piece in 1...4 {
      #expect(try Self.backwards(bytes, pieceBytes: piece, limit: 100) == expected.reversed(), "\(piece)")
      #expect(Self.forwards(bytes, pieces: [Int](repeating: piece, count: 20), limit: 100) == expected, "\(piece)")
    }
  }

  @Test func randomTexts() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      let density = [2, 5, 40, 400].randomElement(using: &generator) ?? 2
      let text = (0..<Int.random(in: 0...2000, using: &generator)).map { _ -> UInt8 in
        Int.random(in: 0..<density, using: &generator) == 0 ? 0x0a : UInt8.random(in: 0x61...0x7a, using: &generator)
      }
      let limit = [0, 1, 10, 100, 5000].randomElement(using: &generator) ?? 10
      let expected = Self.lines(of: text, limit: limit)
      let piece = Int.random(in: 1...300, using: &generator)
      let found = try Self.backwards(text, pieceBytes: piece, limit: limit)
      #expect(found == expected.reversed(), "pieces of \(piece), limit \(limit)")
      let pieces = (0..<200).map { _ in Int.random(in: 0...50, using: &generator) }
      #expect(Self.forwards(text, pieces: pieces, limit: limit) == expected, "limit \(limit)")
    }
  }

  /// What a text had when the reading began is read, also when it grows.
  @Test func aGrowingText() throws {
    var reader = ReversedLines(byteCount: 4, pieceBytes: 2)
    let source = ArraySource(Array("a\nb\nnew\n".utf8))
    #expect(try reader.next(from: source) == .line([0x62]))
    #expect(try reader.next(from: source) == .line([0x61]))
    #expect(try reader.next(from: source) == nil)
  }

  @Test func aTextThatWasCutIsAnError() {
    var reader = ReversedLines(byteCount: 10, pieceBytes: 4)
    let source = ArraySource([0x61])
    #expect(throws: ByteSourceError.self) { try reader.next(from: source) }
  }
}
