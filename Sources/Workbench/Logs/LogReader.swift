public import Base

/// Reads the records of a log that comes in pieces, in whatever form, in memory of its longest line.
///
/// What is found does not depend on how the log is cut into pieces.
public struct LogReader: Sendable {
  private enum Form: Sendable {
    /// Too little was read to know.
    case undecided([UInt8])
    case lines
    case export(JournalExport)
  }

  private let limit: Int
  private var text = UnicodeText()
  private var form = Form.undecided([])
  /// The part of a line that has not ended yet.
  private var rest: [UInt8] = []
  private var isTooLong = false
  private var document: PrettyDocument?
  /// Lines that were read, or began.
  public private(set) var lines = 0

  /// - Parameter limit: bytes that a line may have at most.
  public init(limit: Int = TextLine.limit) { self.limit = limit }

  /// Reads a piece, and calls with what it completes and the line where that begins, counted from 1.
  public mutating func take<E: Error>(
    _ piece: ArraySlice<UInt8>, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    try takeText(text.utf8(piece), visit)
  }

  /// Reads what was held back, at the end of the log.
  public mutating func end<E: Error>(_ visit: (Int, LoggedItem) throws(E) -> Void) throws(E) {
    try takeText(text.last(), visit)
    switch form {
    case .undecided(let start):
      form = .lines
      try takeLines(start[...], visit)
    case .lines: break
    case .export(var export):
      try export.end(visit)
      (form, lines) = (.export(export), export.lines)
      return
    }
    if !rest.isEmpty || isTooLong {
      let last = rest
      rest = []
      try takeLine(last[...], visit)
    }
    if let open = document {
      document = nil
      try giveUp(open, visit)
    }
  }

  private mutating func takeText<E: Error>(
    _ piece: ArraySlice<UInt8>, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    switch form {
    case .undecided(let before):
      let start = before + piece
      if start.count < JournalExport.start.count, JournalExport.start.starts(with: start) {
        form = .undecided(start)
        return
      }
      form = start.starts(with: JournalExport.start) ? .export(JournalExport(limit: limit)) : .lines
      try takeText(start[...], visit)
    case .lines: try takeLines(piece, visit)
    case .export(var export):
      form = .lines
      try export.take(piece, visit)
      lines = export.lines
      form = .export(export)
    }
  }

  private mutating func takeLines<E: Error>(
    _ piece: ArraySlice<UInt8>, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    var piece = piece
    while let feed = piece.firstIndex(of: Self.lineFeed) {
      if rest.isEmpty, !isTooLong {
        try takeLine(piece[..<feed], visit)
      } else {
        keep(piece[..<feed])
        let line = rest
        rest.removeAll(keepingCapacity: line.count <= 1 << 16)
        try takeLine(line[...], visit)
      }
      piece = piece[(feed + 1)...]
    }
    keep(piece)
  }

  private static let lineFeed: [UInt8] = [0x0a]

  private mutating func keep(_ part: ArraySlice<UInt8>) {
    guard !isTooLong, part.count <= limit - rest.count else {
      (isTooLong, rest) = (true, [])
      return
    }
    rest += part
  }

  private mutating func takeLine<E: Error>(
    _ line: ArraySlice<UInt8>, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    lines += 1
    let number = lines
    if isTooLong || line.count > limit {
      isTooLong = false
      return try visit(number, .unreadable("the line has more than \(limit) bytes"))
    }
    if document == nil, PrettyDocument.begins(line) {
      document = PrettyDocument(line, at: number)
      return
    }
    guard document != nil else { return try LogLine.read(line) { (item) throws(E) in try visit(number, item) } }
    // Taken out of the value while it changes, so that its bytes are not copied.
    guard var open = document.take() else { return }
    switch open.take(line) {
    case .goesOn: document = open
    case .isWrapper: return
    case .isNone: try giveUp(open, visit)
    case .ends(let next):
      try open.read(visit)
      if next { document = PrettyDocument(line, at: number) }
    }
  }

  /// The lines of what turned out to be no document are lines like any others.
  private func giveUp<E: Error>(
    _ open: PrettyDocument, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    var number = open.firstLine
    for line in open.bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast() {
      try LogLine.read(line) { (item) throws(E) in try visit(number, item) }
      number += 1
    }
  }
}

/// A JSON document that is printed over several lines, each member on its own, as `journalctl -o json-pretty`, `dmesg --json`
/// and jq do: `{` alone on a line begins an object, and `}` below it ends it.
private struct PrettyDocument: Sendable {
  private let indentation: Int
  let firstLine: Int
  /// The lines with their line feeds.
  private(set) var bytes: [UInt8]
  private var lineCount = 1
  private var mayHoldRecord = false

  enum Step {
    case goesOn
    /// An object that holds a list of such objects.
    case isWrapper
    /// No document.
    case isNone
    /// The object ends; whether another one begins on the same line.
    case ends(next: Bool)
  }

  /// Bytes that a document may have.
  private static let limit = 8 << 20

  init(_ line: ArraySlice<UInt8>, at number: Int) {
    indentation = Self.indentation(of: line)
    firstLine = number
    bytes = [UInt8(ascii: "{"), 0x0a]
  }

  private static func indentation(of line: ArraySlice<UInt8>) -> Int {
    line.prefix { $0 == 0x20 || $0 == 0x09 }.count
  }

  private static func words(of line: ArraySlice<UInt8>) -> [UInt8] {
    line.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d && $0 != 0x1e }
  }

  static func begins(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.count <= 64 else { return false }
    return ["{", "[{", ",{"].contains(String(decoding: words(of: line), as: UTF8.self))
  }

  mutating func take(_ line: ArraySlice<UInt8>) -> Step {
    lineCount += 1
    bytes += line
    bytes.append(0x0a)
    let start = Self.indentation(of: line)
    let inner = line.dropFirst(start)
    if lineCount == 2, inner.first == 0x22, inner.last(where: { $0 > 0x20 }) == UInt8(ascii: "[") { return .isWrapper }
    if lineCount == 2, inner.first != 0x22, inner.first != UInt8(ascii: "}") { return .isNone }
    if !Self.isPartOfDocument(inner) || bytes.count > Self.limit { return .isNone }
    if LineFilter.mayHoldRecord(inner) { mayHoldRecord = true }
    guard start <= indentation, inner.first == UInt8(ascii: "}") else { return .goesOn }
    return .ends(next: inner.contains(UInt8(ascii: "{")))
  }

  private static let beginnings = Array("\"{}[]-,\r0123456789".utf8)
  private static let constants = ["true", "false", "null"].map { Array($0.utf8) }

  /// Whether a line of such a document begins like that.
  private static func isPartOfDocument(_ line: ArraySlice<UInt8>) -> Bool {
    guard let first = line.first else { return true }
    return beginnings.contains(first) || constants.contains { line.starts(with: $0) }
  }

  /// Reads the whole object.
  func read<E: Error>(_ visit: (Int, LoggedItem) throws(E) -> Void) throws(E) {
    guard mayHoldRecord else { return }
    var text = bytes[...]
    while let last = text.last, last != UInt8(ascii: "}") { text.removeLast() }
    try JSONForms.read(text) { (item) throws(E) in try visit(firstLine, item) }
  }
}
