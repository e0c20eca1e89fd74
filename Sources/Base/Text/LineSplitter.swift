/// A line of a long text.
public enum TextLine: Equatable, Sendable {
  /// Without its line feed.
  case line([UInt8])
  /// It has more bytes than the reader keeps.
  case tooLong

  /// Bytes that a line may have where a log is read: more than the largest record of this program. (The decision on 40,000
  /// programs in one object has 40 MiB.)
  public static let limit = 64 << 20
}

/// Cuts a text that comes in pieces into its lines, in memory of one line.
public struct LineSplitter: Sendable {
  private let limit: Int
  private var rest: [UInt8] = []
  private var isTooLong = false

  /// - Parameter limit: bytes that a line may have at most.
  public init(limit: Int = TextLine.limit) { self.limit = limit }

  /// The next line that ends in a piece of the text; what was used of the piece is taken from it. Nil when no more end in it:
  /// then all of it was used.
  public mutating func next(_ piece: inout ArraySlice<UInt8>) -> TextLine? {
    guard let feed = piece.firstIndex(of: 0x0a) else {
      keep(piece)
      piece = []
      return nil
    }
    keep(piece[..<feed])
    piece = piece[(feed + 1)...]
    return take()
  }

  /// At the end of the text: its last line, if that has no line feed.
  public mutating func last() -> TextLine? { isTooLong || !rest.isEmpty ? take() : nil }

  private mutating func keep(_ part: ArraySlice<UInt8>) {
    guard !isTooLong, part.count <= limit - rest.count else {
      (isTooLong, rest) = (true, [])
      return
    }
    rest += part
  }

  private mutating func take() -> TextLine {
    defer { (rest, isTooLong) = ([], false) }
    return isTooLong ? .tooLong : .line(rest)
  }
}
