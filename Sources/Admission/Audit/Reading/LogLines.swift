internal import Base
internal import Linux

/// The lines of a log from the first one on, in memory of one line and one piece.
struct LogLines: ~Copyable {
  private var pieces: LogPieces
  private var splitter = LineSplitter()
  private var piece: ArraySlice<UInt8> = []

  init(_ pieces: consuming LogPieces) { self.pieces = pieces }

  /// The next line; nil at the end.
  mutating func next() throws(AuditReadError) -> TextLine? {
    while true {
      if let line = splitter.next(&piece) { return line }
      guard let next = try pieces.next() else { return splitter.last() }
      piece = next
    }
  }
}
