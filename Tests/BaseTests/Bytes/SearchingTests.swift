import Base
import Testing

struct SearchingTests {
  @Test(arguments: ["", "a", "aab", "xaabaab", "aaaab", "prefix ; suffix ; ", "a\u{308}b", "\u{e4}b"])
  func findsWhatTheStandardLibraryFinds(text: String) {
    for part in ["a", "b", "ab", "aab", " ; ", "absent", "aaaabc"] {
      let bytes = Array(text.utf8)
      let expected = bytes.firstRange(of: Array(part.utf8))
      let found = text.firstPlace(of: part).map { place in
        text.utf8[..<place.lowerBound].count..<text.utf8[..<place.upperBound].count
      }
      #expect(found == expected)
      #expect(text.mentions(part) == (expected != nil))
    }
    #expect(!text.mentions(""))
  }

  @Test func looksOnlyIntoThePart() {
    let text = "one: two"
    #expect(text.dropFirst(5).firstPlace(of: "two")?.upperBound == text.endIndex)
    #expect(!text.prefix(4).mentions("two"))
    #expect(!"\u{e4}".mentions("a\u{308}"))
  }
}
