import Base
import Testing

@Suite("strings joined")
struct JoiningTests {
  @Test(
    "are what the standard library joins",
    arguments: [[], ["a"], ["", ""], ["a", "b", "c"], ["größer", "", "x"]] as [[String]], ["", ",", ", "])
  func equalsStandardLibrary(strings: [String], separator: String) {
    #expect(strings.separated(by: separator) == strings.joined(separator: separator))
  }
}
