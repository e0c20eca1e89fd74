internal import JSONText

/// Finds an object's entry in the text of a manifest by halving, in the layout that ``Manifest/text`` gives it.
///
/// A line feed cannot stand within a JSON string, so four blanks and a brace on a line begin an entry of a list, and
/// nothing else. Objects come first, in the order of their paths; other files, which have no `license`, after them.
enum EntrySearch {
  private static let beginning = Array("\n    {\n      \"path\": ".utf8)
  private static let end = Array("\n    }".utf8)
  private static let mark = Array("\n      \"license\": ".utf8)
  /// Bytes that are read at a time.
  private static let window: UInt64 = 8192
  /// Bytes that an entry may have; one with more is found by reading the whole manifest.
  private static let entryLimit: UInt64 = 1 << 20

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
      guard let (start, text) = try firstEntry(from: middle, before: high, byteCount, read) else {
        high = middle
        continue
      }
      guard firstIndex(of: mark, in: text) != nil else {
        high = middle
        continue
      }
      guard let name = self.path(of: text) else { return nil }
      if name == path { return text }
      if name.utf8.lexicographicallyPrecedes(path.utf8) { low = start + 1 } else { high = middle }
    }
    return nil
  }

  /// The first entry that begins in a range, from its brace to its brace.
  private static func firstEntry<Failure>(
    from start: UInt64, before limit: UInt64, _ byteCount: UInt64, _ read: (Range<UInt64>) throws(Failure) -> [UInt8]
  ) throws(Failure) -> (start: UInt64, text: [UInt8])? {
    var position = start
    while position < limit {
      let part = try read(position..<min(byteCount, position + window + UInt64(beginning.count)))
      guard let index = firstIndex(of: beginning, in: part) else {
        position += window
        continue
      }
      let found = position + UInt64(index)
      guard found < limit else { return nil }
      var size = window
      while true {
        let text = try read(found + 5..<max(found + 5, min(byteCount, found + size)))
        if let last = firstIndex(of: end, in: text) { return (found, Array(text[..<(last + end.count)])) }
        guard size < entryLimit, found + size < byteCount else { return nil }
        size *= 4
      }
    }
    return nil
  }

  /// The string behind `"path": `.
  private static func path(of text: [UInt8]) -> String? {
    let start = beginning.count - 5
    guard text.count > start else { return nil }
    var token = Array(text[start...].prefix { $0 != 0x0a })
    if token.last == UInt8(ascii: ",") { token.removeLast() }
    guard case .string(let name)? = try? JSONValue.parse(token) else { return nil }
    return name
  }

  private static func firstIndex(of pattern: [UInt8], in text: [UInt8]) -> Int? {
    guard let first = pattern.first, text.count >= pattern.count else { return nil }
    for index in 0...(text.count - pattern.count) where text[index] == first {
      if text[index..<(index + pattern.count)].elementsEqual(pattern) { return index }
    }
    return nil
  }
}
