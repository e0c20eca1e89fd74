internal import Base

/// Finds an object's entry in the text of a manifest by halving, in the layout that ``Manifest/text`` gives it.
///
/// A line feed cannot stand within a JSON string, so four blanks and a brace on a line begin an entry of a list, and
/// nothing else. Objects come first, in the order of their paths; other files, which have no `license`, after them.
enum EntrySearch {
  private static let beginning = Array("\n    {\n      \"path\": ".utf8)
  private static let end = Array("\n    }".utf8)
  private static let mark = Array("\n      \"license\": ".utf8)
  /// Bytes that are read at a time.
  private static let window: UInt64 = 4096
  /// Bytes that an entry may have.
  private static let entryLimit = UInt64(Manifest.wholeByteCount)

  /// The text of an object's entry; nil when there is none, or the manifest has another layout.
  ///
  /// - Parameters:
  ///   - byteCount: of the manifest.
  ///   - read: gives a part of it, shorter at its end.
  static func entry<Failure>(
    of path: String, byteCount: UInt64, read: (Range<UInt64>) throws(Failure) -> [UInt8]
  ) throws(Failure) -> [UInt8]? {
    var (low, high) = (UInt64(0), byteCount)
    while low < high {
      let middle = low + (high - low) / 2
      guard let (start, text) = try firstEntry(from: middle, before: high, byteCount, read), let text else {
        high = middle
        continue
      }
      guard let name = self.path(of: text) else { return nil }
      if name.elementsEqual(path.utf8) {
        if let entry = upToEnd(text) { return entry }
        guard let whole = try readEntry(at: start, byteCount, read) else { return nil }
        return upToEnd(whole)
      }
      if name.lexicographicallyPrecedes(path.utf8) { low = start + 1 } else { high = middle }
    }
    return nil
  }

  /// The first entry that begins in a range: where, and its text from its brace on, as far as it happened to be read
  /// but with its `license`; nil instead of the text when it has none, as a file that is no object.
  private static func firstEntry<Failure>(
    from start: UInt64, before limit: UInt64, _ byteCount: UInt64, _ read: (Range<UInt64>) throws(Failure) -> [UInt8]
  ) throws(Failure) -> (start: UInt64, text: [UInt8]?)? {
    var position = start
    while position < limit {
      let part = try read(position..<min(byteCount, position + window + UInt64(beginning.count)))
      guard let index = part.rawSpan.firstOffset(of: beginning.rawSpan) else {
        position += window
        continue
      }
      let found = position + UInt64(index)
      guard found < limit else { return nil }
      // As a rule what was read goes far enough.
      if isObject(part, from: index + 5) { return (found, Array(part[(index + 5)...])) }
      guard let text = try readEntry(at: found, byteCount, read) else { return nil }
      return (found, isObject(text, from: 0) ? text : nil)
    }
    return nil
  }

  /// Whether the entry that begins there is an object's.
  private static func isObject(_ text: [UInt8], from start: Int) -> Bool {
    let bytes = text.rawSpan
    guard let mark = bytes.firstOffset(of: mark.rawSpan, from: start) else { return false }
    return bytes.firstOffset(of: end.rawSpan, from: start).map { mark < $0 } ?? true
  }

  /// The text from an entry's brace on, with the entry's end in it; nil when that is too far away.
  private static func readEntry<Failure>(
    at start: UInt64, _ byteCount: UInt64, _ read: (Range<UInt64>) throws(Failure) -> [UInt8]
  ) throws(Failure) -> [UInt8]? {
    var size = window
    while true {
      let text = try read(start + 5..<max(start + 5, min(byteCount, start + size)))
      if text.rawSpan.firstOffset(of: end.rawSpan) != nil { return text }
      guard size < entryLimit, start + size < byteCount else { return nil }
      size *= 4
    }
  }

  /// The entry that the text begins with; nil when its end is not there.
  private static func upToEnd(_ text: [UInt8]) -> [UInt8]? {
    text.rawSpan.firstOffset(of: end.rawSpan).map { Array(text[..<($0 + end.count)]) }
  }

  /// The UTF-8 of the string behind `"path": `.
  private static func path(of text: [UInt8]) -> [UInt8]? {
    let start = beginning.count - 5
    guard text.count > start else { return nil }
    var token = text[start...].prefix { $0 != 0x0a }
    if token.last == UInt8(ascii: ",") { token.removeLast() }
    if let plain = plain(token) { return plain }
    guard case .string(let name)? = try? JSONValue.parse(Array(token)) else { return nil }
    return Array(name.utf8)
  }

  /// What a string of ASCII letters, digits and the like says, which needs no reader: most paths are such strings.
  private static func plain(_ token: ArraySlice<UInt8>) -> [UInt8]? {
    let quote = UInt8(ascii: "\"")
    guard token.count >= 2, token.first == quote, token.last == quote else { return nil }
    let content = token.dropFirst().dropLast()
    guard content.allSatisfy({ 0x20..<0x7f ~= $0 && $0 != quote && $0 != UInt8(ascii: "\\") }) else { return nil }
    return Array(content)
  }
}
