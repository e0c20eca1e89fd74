internal import Base

/// Records in JSON: this program's own, the journal's, laurel's, and those of programs that forward logs.
enum JSONForms {
  private static let operation = Array("ipe_op".utf8)
  private static let own = Array("verity-bpf/audit/".utf8)
  private static let type = Array("\"1420\"".utf8)

  /// Whether what is no JSON document was to be a record.
  private static func looksLikeRecord(_ text: ArraySlice<UInt8>) -> Bool {
    LineFilter.mayBeginOwn(text) || [operation, own, type].contains { text.firstIndex(of: $0) != nil }
  }

  private static let factsStart = Array("\"facts\":[{\"op\":".utf8)

  /// Whether a line that is no document is a part of a record of `audit.jsonl`.
  static func isPartOfOwn(_ line: ArraySlice<UInt8>) -> Bool {
    line.firstIndex(of: LineFilter.ownStart) != nil
      || line.last == UInt8(ascii: "}") && line.firstIndex(of: factsStart) != nil
  }

  /// The document that a text is; nil when it is none.
  static func document(_ text: ArraySlice<UInt8>) -> JSONValue? { try? parsed(text) }

  private static func parsed(_ text: ArraySlice<UInt8>) throws(JSONError) -> JSONValue {
    try JSONValue.parse(text.rawSpan, limits: JSONLimits(bytes: TextLine.limit, depth: 64, values: 1 << 22))
  }

  /// Reads a document: a record, or records in a list or somewhere inside.
  static func read<E: Error>(
    _ text: ArraySlice<UInt8>, _ visit: (LoggedItem) throws(E) -> Void
  ) throws(E) {
    var text = text
    // An element of a list that is printed in lines, which may begin or end there.
    if text.last == UInt8(ascii: ",") { text.removeLast() }
    let (begins, ends) = (text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]"))
    if begins, !ends { text.removeFirst() }
    if ends, !begins { text.removeLast() }
    let document: JSONValue
    do throws(JSONError) {
      document = try parsed(text)
    } catch {
      guard looksLikeRecord(text) else { return }
      return try visit(.unreadable("the line is no JSON document: \(error.explanation)"))
    }
    try read(document, visit)
  }

  static func read<E: Error>(_ value: JSONValue, _ visit: (LoggedItem) throws(E) -> Void) throws(E) {
    if case .array(let elements) = value {
      for element in elements { try read(element, visit) }
      return
    }
    guard case .object(let members) = value else { return }
    if case .string(let schema)? = value["schema"], schema.hasPrefix("verity-bpf/audit/") {
      return try visit(.record(origin(ofOwn: value), .own(value)))
    }
    if let entry = journalEntry(value) { return try entry.read(visit) }
    var seen: [LoggedItem] = []
    let origin = origin(of: value)
    try search(members, name: nil, origin, depth: 0) { (item: LoggedItem) throws(E) in
      // Programs that forward a line may keep it twice, as it came and as it was taken apart.
      guard !seen.contains(where: { isSame($0, item) }) else { return }
      seen.append(item)
      try visit(item)
    }
  }

  private static func isSame(_ one: LoggedItem, _ other: LoggedItem) -> Bool {
    switch (one, other) {
    case (.record(_, let one), .record(_, let other)): one == other
    case (.unreadable(let one), .unreadable(let other)): one == other
    case (.record, .unreadable), (.unreadable, .record): false
    }
  }

  private static func origin(ofOwn record: JSONValue) -> RecordOrigin {
    RecordOrigin(time: text(record["time"]), event: text(record["event"]))
  }

  /// The time and the event that an object says for all that is in it.
  private static func origin(of value: JSONValue) -> RecordOrigin {
    // laurel: "ID":"1795366012.940:14"
    if let identifier = text(value["ID"]) {
      let header = "type=1420 audit(\(identifier)): "
      if case .found(let found) = AuditHeader.find(in: Array(header.utf8)[...]), let stamp = found.stamp {
        return RecordOrigin(stamp: stamp)
      }
    }
    let names = ["@timestamp", "timestamp", "time", "ts", "date"]
    return RecordOrigin(time: names.lazy.compactMap { text(value[$0]) }.first)
  }

  private static func text(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text)?: text
    case .integer(let number)?: String(number)
    case .number(let text)?: text
    case .null?, .bool?, .array?, .object?, nil: nil
    }
  }

  // MARK: - The journal

  private static func journalEntry(_ value: JSONValue) -> JournalEntry? {
    guard value["__REALTIME_TIMESTAMP"] != nil || value["_AUDIT_TYPE"] != nil || value["_TRANSPORT"] != nil else {
      return nil
    }
    return JournalEntry(
      message: bytes(value["MESSAGE"]), auditType: text(value["_AUDIT_TYPE"]),
      auditName: text(value["_AUDIT_TYPE_NAME"]), auditID: text(value["_AUDIT_ID"]),
      written: text(value["_SOURCE_REALTIME_TIMESTAMP"]), taken: text(value["__REALTIME_TIMESTAMP"]))
  }

  /// A message, which stands as a list of its bytes when it is no text.
  private static func bytes(_ value: JSONValue?) -> [UInt8]? {
    switch value {
    case .string(let text)?: return Array(text.utf8)
    case .array(let elements)?:
      return elements.compactMap {
        if case .integer(let number) = $0 { UInt8(exactly: number) } else { nil }
      }
    case .null?, .bool?, .integer?, .number?, .object?, nil: return nil
    }
  }

  // MARK: - Other documents

  /// Levels of objects that are looked into.
  private static let depthLimit = 8

  private static func search<E: Error>(
    _ members: [JSONValue.Member], name: String?, _ origin: RecordOrigin, depth: Int,
    _ visit: (LoggedItem) throws(E) -> Void
  ) throws(E) {
    if members.contains(where: { $0.name == "ipe_op" }) {
      return try visit(structured(.object(members), name, origin))
    }
    guard depth < depthLimit else { return }
    for member in members {
      let type = AuditReader.types[member.name]
      if let type, type == 1421 || type == 1422 { try visit(.record(origin, .withoutDecision(type: type))) }
      try search(member.value, name: member.name, origin, depth: depth + 1, visit)
    }
  }

  private static func search<E: Error>(
    _ value: JSONValue, name: String, _ origin: RecordOrigin, depth: Int, _ visit: (LoggedItem) throws(E) -> Void
  ) throws(E) {
    switch value {
    case .string(let text):
      let bytes = Array(text.utf8)[...]
      for line in bytes.split(separator: 0x0a) where LineFilter.mayHoldRecord(line) {
        try LogLine.read(line) { (item: LoggedItem) throws(E) in
          if case .record(let own, let record) = item, own == RecordOrigin() {
            return try visit(.record(origin, record))
          }
          try visit(item)
        }
      }
    case .object(let members): try search(members, name: name, origin, depth: depth, visit)
    case .array(let elements):
      for element in elements.prefix(depth < depthLimit ? elements.count : 0) {
        try search(element, name: name, origin, depth: depth + 1, visit)
      }
    case .null, .bool, .integer, .number: return
    }
  }

  /// A record whose fields are members of an object.
  private static func structured(_ value: JSONValue, _ name: String?, _ origin: RecordOrigin) -> LoggedItem {
    let type = name.flatMap { AuditReader.types[$0] }
    if type == 1121 || value["rule"] == nil && value["result"] != nil {
      return .record(origin, .withoutDecision(type: 1121))
    }
    func field(_ name: String) -> String? {
      guard let text = text(value[name]), text != "?", text != "(null)" else { return nil }
      let isQuoted = text.utf8.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
      return isQuoted ? String(text.dropFirst().dropLast()) : text
    }
    let flags = ["1": true, "yes": true, "0": false, "no": false]
    var enforcing = field("enforcing").flatMap { flags[$0] }
    if case .bool(let flag)? = value["enforcing"] { enforcing = flag }
    guard let operation = field("ipe_op"), let hook = field("ipe_hook"), let enforcing,
      let pid = field("pid").flatMap({ Int32($0) }), let rule = field("rule"),
      rule.hasSuffix("action=ALLOW") || rule.hasSuffix("action=DENY")
    else { return .unreadable("a field of the record is missing or cut") }
    let file = field("dev").map {
      AccessRecord.File(
        path: field("path").map { Array($0.utf8) }, device: Array($0.utf8), inode: field("ino").flatMap { UInt64($0) })
    }
    let record = AccessRecord(
      operation: operation, hook: hook, enforcing: enforcing, pid: pid, command: Array((field("comm") ?? "").utf8),
      file: file, rule: AuditEncoding.policyText(rule))
    return .record(origin, .text(RefusalRecord(record).map { .refusal($0) } ?? .access(record)))
  }
}
