internal import Base

/// Reads one line of a log, in whatever form.
public enum LogLine {
  /// Calls with each record of a line without its line feed, and with what looks like one and cannot be read. Of most lines
  /// there is none, of a JSON document there may be several.
  public static func read<E: Error>(
    _ line: ArraySlice<UInt8>, _ visit: (LoggedItem) throws(E) -> Void
  ) throws(E) {
    var line = line
    while let last = line.last, last <= 0x20 { line.removeLast() }
    // RFC 7464 begins each document with this byte.
    while let first = line.first, first <= 0x20 && first != 0x1b { line.removeFirst() }
    guard LineFilter.mayHoldRecord(line) else { return }
    if line.contains(0x1b) { line = withoutColors(line) }
    if line.first == UInt8(ascii: "{") || line.starts(with: arrayStart) { return try JSONForms.read(line, visit) }
    // A document behind a prefix: of syslog, of a container's log, of `journalctl -o json-sse`.
    if line.last == UInt8(ascii: "}"), let start = line.firstIndex(of: objectStart),
      let document = JSONForms.document(line[start...])
    {
      return try JSONForms.read(document, visit)
    }
    if let item = LoggedText.read(line) { return try visit(item) }
    if JSONForms.isPartOfOwn(line) { try visit(.unreadable("a part of the record is not there")) }
  }

  private static let objectStart = Array("{\"".utf8)

  /// Reads one line, or text that is one record; nil when it holds none.
  public static func first(in text: [UInt8]) -> LoggedItem? {
    var found: LoggedItem?
    read(text[...]) { found = found ?? $0 }
    return found
  }

  private static let arrayStart = Array("[{".utf8)

  /// Without the sequences by which dmesg colours its lines (ESC, `[`, numbers, a letter).
  private static func withoutColors(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text: [UInt8] = []
    var rest = line
    while let escape = rest.firstIndex(of: 0x1b) {
      text += rest[..<escape]
      rest = rest[(escape + 1)...]
      guard rest.first == UInt8(ascii: "[") else { continue }
      rest = rest.dropFirst().drop { 0x20...0x3f ~= $0 }.dropFirst()
    }
    return (text + rest)[...]
  }
}
