/// The words of a line, up to its comment.
struct LineReader: ~Escapable {
  private let text: Span<UInt8>
  /// Where the line ends; known after ``words()``.
  private(set) var end: Int
  private(set) var isASCII = true

  @_lifetime(copy text)
  init(_ text: Span<UInt8>, from start: Int) {
    self.text = text
    end = start
  }

  /// Reads to the line's end: how many words there are, and the first two.
  mutating func words() -> (count: Int, first: Range<Int>, second: Range<Int>) {
    var (count, first, second) = (0, 0..<0, 0..<0)
    var start: Int?
    var isComment = false
    while true {
      let byte = end < text.count ? text[end] : UInt8(ascii: "\n")
      // Nearly every byte is one of a word.
      if byte > UInt8(ascii: "#"), byte < 0x80, !isComment {
        if start == nil { start = end }
        end += 1
        continue
      }
      let isEnd = byte == UInt8(ascii: "\n")
      if byte >= 0x80 { isASCII = false }
      if byte == UInt8(ascii: "#") { isComment = true }
      if isEnd || isComment || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
        if let begin = start {
          count += 1
          if count == 1 { first = begin..<end } else if count == 2 { second = begin..<end }
          start = nil
        }
      } else if start == nil {
        start = end
      }
      if isEnd { return (count, first, second) }
      end += 1
    }
  }
}

extension Span<UInt8> {
  /// Whether what is in a range begins with these bytes.
  func begins(with bytes: [UInt8], at range: Range<Int>) -> Bool {
    guard bytes.count <= range.count, range.upperBound <= count else { return false }
    for index in bytes.indices where self[range.lowerBound + index] != bytes[index] { return false }
    return true
  }
}
