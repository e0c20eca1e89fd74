internal import Base

/// Reads the names in a manifest's text, piece by piece, in the layout that ``ManifestText`` gives it. What is said of the
/// files otherwise is passed over: it is read where an object is inspected or loaded.
///
/// A line feed cannot stand within a JSON string, so a line of four blanks and a brace ends an entry, and nothing else.
struct ManifestScan {
  private enum Place: Equatable {
    case head
    case objects(isFirst: Bool)
    case betweenLists
    case files(isFirst: Bool)
    case end
    case done
  }

  private static let listBeginning = Array("\"objects\": [".utf8)
  private static let betweenLists = Array(",\n  \"files\": [".utf8)
  private static let ending = Array("\n}\n".utf8)
  private static let emptyListEnd = Array("]".utf8)
  private static let listEnd = Array("\n  ]".utf8)
  private static let firstEntry = Array("\n    {\n      \"path\": ".utf8)
  private static let nextEntry = Array(",\n    {\n      \"path\": ".utf8)
  private static let entryEnd = Array("\n    }".utf8)
  private static let digest = Array("      \"sha256\": \"".utf8)
  private static let size = Array("      \"size\": ".utf8)
  /// Where the brace is in ``entryEnd``, of which a manifest has fewer than line feeds.
  private static let brace = 5
  /// Bytes of the head, by far; a manifest with a longer one is read whole.
  private static let headLimit = 4096

  private var place = Place.head
  /// What was taken and not read yet.
  private var rest: [UInt8] = []
  private var position = 0
  /// Up to where the end of the entry that begins at ``position`` was looked for.
  private var searched = 0
  private var previous: [UInt8] = []
  private(set) var head: ManifestHead?
  private(set) var paths = PathSum()

  /// Whether the text ended where it should.
  var isComplete: Bool { place == .done && position == rest.count }

  /// What stands in one of the two lists.
  struct Entry {
    let isObject: Bool
    /// From its brace to its brace.
    let text: ArraySlice<UInt8>
  }

  /// Takes the next bytes of the text.
  ///
  /// - Returns: false when the text has another layout.
  mutating func take(_ piece: [UInt8]) -> Bool {
    add(piece)
    while true {
      switch step() {
      case .went: continue
      case .needsMore: return true
      case .failed: return false
      }
    }
  }

  /// The same.
  ///
  /// - Parameter visit: called with each entry that ends in these bytes.
  mutating func take<Failure>(
    _ piece: [UInt8], visit: (Entry) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    add(piece)
    while true {
      let (before, start) = (place, position)
      switch step() {
      case .went: if let entry = entry(from: start, before) { try visit(entry) }
      case .needsMore: return true
      case .failed: return false
      }
    }
  }

  private mutating func add(_ piece: [UInt8]) {
    rest.removeFirst(position)
    searched = max(0, searched - position)
    position = 0
    rest += piece
  }

  /// The entry that was read in a step.
  private func entry(from start: Int, _ before: Place) -> Entry? {
    let isObject: Bool
    switch (before, place) {
    case (.objects, .objects): isObject = true
    case (.files, .files): isObject = false
    case (.head, _), (.objects, _), (.betweenLists, _), (.files, _), (.end, _), (.done, _): return nil
    }
    guard let brace = rest[start..<position].firstIndex(of: UInt8(ascii: "{")) else { return nil }
    return Entry(isObject: isObject, text: rest[brace..<position])
  }

  private enum Step { case went, needsMore, failed }

  private mutating func step() -> Step {
    switch place {
    case .head: return readHead()
    case .objects(let isFirst): return readEntry(isFirst, end: .betweenLists, next: .objects(isFirst: false))
    case .betweenLists: return pass(Self.betweenLists, to: .files(isFirst: true))
    case .files(let isFirst): return readEntry(isFirst, end: .end, next: .files(isFirst: false))
    case .end: return pass(Self.ending, to: .done)
    // Whether anything follows, `isComplete` says.
    case .done: return .needsMore
    }
  }

  private mutating func readHead() -> Step {
    guard let start = rest.rawSpan.firstOffset(of: Self.listBeginning.rawSpan) else {
      return rest.count < Self.headLimit ? .needsMore : .failed
    }
    position = start + Self.listBeginning.count
    head = ManifestHead(beginning: Array(rest[..<position]))
    place = .objects(isFirst: true)
    return head == nil ? .failed : .went
  }

  private mutating func pass(_ text: [UInt8], to next: Place) -> Step {
    guard rest.count - position >= text.count else { return .needsMore }
    guard has(text, at: position) else { return .failed }
    position += text.count
    place = next
    return .went
  }

  /// Reads an entry of a list, or the list's end.
  private mutating func readEntry(_ isFirst: Bool, end: Place, next: Place) -> Step {
    let (ending, beginning) =
      isFirst ? (Self.emptyListEnd, Self.firstEntry) : (Self.listEnd, Self.nextEntry)
    guard rest.count - position >= beginning.count else {
      // The end of a short text has fewer bytes than an entry's beginning.
      return rest.count - position >= ending.count && has(ending, at: position) ? pass(ending, to: end) : .needsMore
    }
    if has(ending, at: position) { return pass(ending, to: end) }
    guard has(beginning, at: position) else { return .failed }
    let start = position + beginning.count
    let end = rest.rawSpan.firstOffset(
      of: Self.entryEnd.rawSpan, from: max(start, searched), rarest: Self.brace)
    guard let stop = end else {
      searched = max(start, rest.count - Self.entryEnd.count + 1)
      return rest.count - position < Manifest.wholeByteCount ? .needsMore : .failed
    }
    guard let path = path(from: start, to: stop) else { return .failed }
    // Sorted and without repetition, as everywhere.
    guard paths.count == 0 || isFirst || previous.lexicographicallyPrecedes(path) else { return .failed }
    paths.add(path.rawSpan)
    previous = path
    position = stop + Self.entryEnd.count
    place = next
    return .went
  }

  /// The path of the entry whose members begin with it; nil unless digest and size follow as they should.
  private func path(from start: Int, to stop: Int) -> [UInt8]? {
    guard let pathEnd = lineEnd(from: start, to: stop), rest[pathEnd - 1] == UInt8(ascii: ","),
      let path = text(of: rest[start..<pathEnd - 1])
    else { return nil }
    let digest = pathEnd + 1 + Self.digest.count
    guard has(Self.digest, at: pathEnd + 1), let digestEnd = lineEnd(from: digest, to: stop),
      digestEnd - digest == 66, rest[digestEnd - 2] == UInt8(ascii: "\""), rest[digestEnd - 1] == UInt8(ascii: ","),
      rest[digest..<digest + 64].allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    let size = digestEnd + 1 + Self.size.count
    guard has(Self.size, at: digestEnd + 1) else { return nil }
    var digits = rest[size..<max(size, lineEnd(from: size, to: stop) ?? stop)]
    if digits.last == UInt8(ascii: ",") { digits.removeLast() }
    guard 1...19 ~= digits.count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return path
  }

  /// The UTF-8 of a JSON string.
  private func text(of token: ArraySlice<UInt8>) -> [UInt8]? {
    let quote = UInt8(ascii: "\"")
    guard token.count > 2, token.first == quote, token.last == quote else { return nil }
    let content = token.dropFirst().dropLast()
    if content.allSatisfy({ 0x20..<0x7f ~= $0 && $0 != quote && $0 != UInt8(ascii: "\\") }) { return Array(content) }
    guard case .string(let text)? = try? JSONValue.parse(Array(token)) else { return nil }
    return Array(text.utf8)
  }

  /// Where the line ends that begins there; nil when it goes on to the entry's end.
  private func lineEnd(from start: Int, to stop: Int) -> Int? {
    var index = start
    while index < stop {
      if rest[index] == 0x0a { return index > start ? index : nil }
      index += 1
    }
    return nil
  }

  private func has(_ text: [UInt8], at place: Int) -> Bool {
    guard place >= 0, rest.count - place >= text.count else { return false }
    return rest.rawSpan.extracting(place..<place + text.count).hasSameBytes(as: text.rawSpan)
  }
}
