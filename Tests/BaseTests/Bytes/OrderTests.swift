import Base
import Testing

struct OrderTests {
  static let words = [
    "", "a", "a\u{308}", "\u{e4}", "ab", "abc", "b", "B", "a/b", "a.b", "a b", "\u{65e5}", "\u{1f600}",
  ]

  @Test(arguments: words)
  func ordersAsTheBytesDo(word: String) {
    for other in Self.words {
      let (left, right) = (Array(word.utf8), Array(other.utf8))
      #expect(word.precedesBytewise(other) == left.lexicographicallyPrecedes(right), "\(word) \(other)")
      #expect(word.hasSameBytes(as: other) == (left == right), "\(word) \(other)")
    }
  }

  @Test func sortsByBytes() {
    let sorted = Self.words.shuffled().sortedBytewise().map { Array($0.utf8) }
    #expect(sorted == Self.words.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
  }
}
