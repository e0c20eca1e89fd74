internal import Base

/// `journalctl -o export` and the files of systemd-journal-remote's senders: fields as `NAME=value` lines, or, where a value
/// is no line of text, `NAME`, its size in eight bytes (little-endian) and its bytes; an empty line ends an entry.
struct JournalExport: Sendable {
  /// The first bytes of each such stream.
  static let start = Array("__CURSOR=".utf8)

  private enum State: Sendable {
    /// In a line; what was read of it.
    case line([UInt8])
    /// In the size of a value.
    case size(name: [UInt8], bytes: [UInt8])
    /// In a value; what is left of it, and whether it is kept.
    case value(name: [UInt8], kept: [UInt8], left: UInt64)
    /// Before the line feed that ends a value.
    case valueEnd
  }

  private let limit: Int
  private var state = State.line([])
  private var entry = JournalEntry()
  private var isEmpty = true
  /// Why the entry cannot be trusted to be whole.
  private var fault: String?
  private(set) var lines = 0
  private var firstLine = 1

  /// - Parameter limit: bytes that a field may have at most.
  init(limit: Int) { self.limit = limit }

  mutating func take<E: Error>(
    _ piece: ArraySlice<UInt8>, _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    var rest = piece
    while !rest.isEmpty {
      switch state {
      case .line(let before):
        guard let feed = rest.firstIndex(of: 0x0a) else {
          state = .line(kept(before, rest))
          return
        }
        state = .line([])
        lines += 1
        try end(line: kept(before, rest[..<feed]), visit)
        rest = rest[(feed + 1)...]
      case .size(let name, let bytes):
        let more = rest.prefix(8 - bytes.count)
        rest = rest.dropFirst(more.count)
        let all = bytes + more
        guard all.count == 8 else {
          state = .size(name: name, bytes: all)
          return
        }
        let size = all.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        state = size == 0 ? .valueEnd : .value(name: name, kept: [], left: size)
        if size == 0 { set(name, []) }
      case .value(let name, let before, let left):
        let part = rest.prefix(Int(min(left, UInt64(rest.count))))
        rest = rest.dropFirst(part.count)
        let now = Self.fields.contains(name) ? kept(before, part) : []
        if UInt64(part.count) == left {
          set(name, now)
          state = .valueEnd
        } else {
          state = .value(name: name, kept: now, left: left - UInt64(part.count))
        }
      case .valueEnd:
        if rest.first != 0x0a { fault = fault ?? "a field of the journal's entry does not end with a line feed" }
        rest = rest.dropFirst()
        lines += 1
        state = .line([])
      }
    }
  }

  mutating func end<E: Error>(_ visit: (Int, LoggedItem) throws(E) -> Void) throws(E) {
    switch state {
    case .line(let line):
      if !line.isEmpty {
        lines += 1
        fault = fault ?? "the journal's entry is cut"
      }
    case .size, .value: fault = fault ?? "the journal's entry is cut"
    case .valueEnd: lines += 1
    }
    state = .line([])
    try endEntry(visit)
  }

  /// The fields of text that are read.
  private static let texts: [String: any WritableKeyPath<JournalEntry, String?> & Sendable] = [
    "_AUDIT_TYPE": \.auditType, "_AUDIT_TYPE_NAME": \.auditName, "_AUDIT_ID": \.auditID,
    "_SOURCE_REALTIME_TIMESTAMP": \.written, "__REALTIME_TIMESTAMP": \.taken,
  ]

  /// The fields that are read.
  private static let fields = Set((["MESSAGE"] + texts.keys).map { Array($0.utf8) })

  private mutating func kept(_ before: [UInt8], _ more: ArraySlice<UInt8>) -> [UInt8] {
    guard before.count + more.count <= limit else {
      fault = "a field of the journal's entry has more than \(limit) bytes"
      return before
    }
    return before.isEmpty ? Array(more) : before + more
  }

  private mutating func end<E: Error>(
    line: [UInt8], _ visit: (Int, LoggedItem) throws(E) -> Void
  ) throws(E) {
    guard !line.isEmpty else { return try endEntry(visit) }
    if isEmpty { firstLine = lines }
    isEmpty = false
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
      state = .size(name: line, bytes: [])
      return
    }
    let name = Array(line[..<equals])
    if Self.fields.contains(name) { set(name, Array(line[(equals + 1)...])) }
  }

  private mutating func set(_ name: [UInt8], _ value: [UInt8]) {
    let text = String(decoding: value, as: UTF8.self)
    let name = String(decoding: name, as: UTF8.self)
    if name == "MESSAGE" {
      entry.message = value
    } else if let field = Self.texts[name] {
      entry[keyPath: field] = text
    }
  }

  private mutating func endEntry<E: Error>(_ visit: (Int, LoggedItem) throws(E) -> Void) throws(E) {
    defer { (entry, isEmpty, fault) = (JournalEntry(), true, nil) }
    let line = firstLine
    guard let fault else {
      return try entry.read { (item: LoggedItem) throws(E) in try visit(line, item) }
    }
    // What is whole of a cut entry may already be a record; it counts once, as one that cannot be read.
    var looksLikeRecord = entry.auditType != nil || entry.auditName != nil
    entry.read { _ in looksLikeRecord = true }
    if looksLikeRecord { try visit(line, .unreadable(fault)) }
  }
}
