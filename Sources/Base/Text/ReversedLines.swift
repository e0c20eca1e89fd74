/// The lines of a text from its end to its beginning, in memory of one line and one piece.
///
/// The text may grow meanwhile: read is what it had when the reading began.
public struct ReversedLines: ~Copyable {
  private let pieceBytes: Int
  private let limit: Int
  /// Bytes of the text that are not read yet.
  private var unread: UInt64
  /// What was read and not given out; the next line ends with it.
  private var buffer: [UInt8] = []
  /// How many bytes at the end of ``buffer`` are known to have no line feed.
  private var searched = 0
  /// Whether the line that ``buffer`` ends with has got too long, and its bytes are not kept.
  private var isTooLong = false
  private var hasBegun = false
  private var isDone: Bool

  /// - Parameters:
  ///   - byteCount: bytes of the text.
  ///   - pieceBytes: bytes that are read at a time.
  ///   - limit: bytes that a line may have at most.
  public init(byteCount: UInt64, pieceBytes: Int = 1 << 18, limit: Int = TextLine.limit) {
    self.pieceBytes = max(1, pieceBytes)
    self.limit = limit
    unread = byteCount
    isDone = byteCount == 0
  }

  /// The line before the one that was given last; nil at the text's beginning. A line feed at the very end of the text ends
  /// its last line, and begins none.
  ///
  /// - Parameter source: the text.
  public mutating func next(
    from source: borrowing some ByteSource & ~Copyable
  ) throws(ByteSourceError) -> TextLine? {
    guard !isDone else { return nil }
    if !hasBegun {
      hasBegun = true
      try fill(from: source)
      if buffer.last == 0x0a { buffer.removeLast() }
    }
    while true {
      if let feed = buffer.dropLast(searched).lastIndex(of: 0x0a) {
        let line = line(from: feed + 1)
        buffer.removeSubrange(feed...)
        (searched, isTooLong) = (0, false)
        return line
      }
      if buffer.count > limit || isTooLong { (buffer, isTooLong) = ([], true) }
      searched = buffer.count
      guard unread > 0 else {
        isDone = true
        return line(from: 0)
      }
      try fill(from: source)
    }
  }

  private func line(from start: Int) -> TextLine {
    isTooLong || buffer.count - start > limit ? .tooLong : .line(Array(buffer[start...]))
  }

  /// Reads what comes before; as much as there is already of a long line, so that its bytes are moved a few times only.
  private mutating func fill(from source: borrowing some ByteSource & ~Copyable) throws(ByteSourceError) {
    let count = Int(min(unread, UInt64(max(pieceBytes, buffer.count))))
    var piece = [UInt8](repeating: 0, count: count)
    var span = piece.mutableSpan
    var bytes = unsafe span.mutableBytes
    try source.read(at: unread - UInt64(count), into: &bytes)
    buffer = piece + buffer
    unread -= UInt64(count)
  }
}
