internal import Base

/// A record without the kernel's header: the journal keeps time, type and number of an audit message in fields of their own,
/// and its short forms print `audit[PID]: IPE_ACCESS ipe_op=…`, or `AUDIT1420 ipe_op=…` where it does not know the name.
struct JournalMessage {
  /// What the line says; nil for a record of another type.
  let item: LoggedItem?

  private static let identifier = Array("audit[".utf8)
  private static let names = ["IPE_", "AUDIT142", "UNKNOWN[142"].map { Array($0.utf8) }
  private static let operation = Array("ipe_op=".utf8)
  private static let hook = Array(" ipe_hook=".utf8)
  private static let blob = Array("blob data]".utf8)

  /// Nil when the line is no such message.
  init?(in line: ArraySlice<UInt8>) {
    if let message = Self.identified(line) {
      item = message
      return
    }
    for name in Self.names {
      guard let place = line.firstIndex(of: name), place == line.startIndex || !AuditHeader.isInName(line[place - 1])
      else { continue }
      let word = line[place...].prefix { $0 > 0x20 }
      guard let type = AuditReader.types[String(decoding: word, as: UTF8.self)] else { continue }
      let body = line[word.endIndex...].drop { $0 == 0x20 }
      // A word of other text, as in `ausearch -m IPE_ACCESS`.
      guard Self.isFields(body, of: type), !body.isEmpty || place == line.startIndex else { continue }
      item = LoggedText.item(type, body, RecordOrigin())
      return
    }
    guard let place = line.firstIndex(of: Self.operation), let body = Self.bare(line[place...]),
      place == line.startIndex || !AuditHeader.isInName(line[place - 1])
    else { return nil }
    item = body
  }

  /// The message of the identifier `audit[PID]`; nil when there is none, the inner nil for one of another type.
  private static func identified(_ line: ArraySlice<UInt8>) -> LoggedItem?? {
    guard let place = line.firstIndex(of: identifier),
      place == line.startIndex || !AuditHeader.isInName(line[place - 1])
    else { return kernelBlob(line) }
    let pid = line[(place + identifier.count)...].prefix { 0x30...0x39 ~= $0 }
    var rest = line[pid.endIndex...]
    guard rest.starts(with: [UInt8(ascii: "]"), UInt8(ascii: ":"), 0x20]) else { return nil }
    rest = rest.dropFirst(3)
    if rest.hasSuffix(blob) { return .some(hidden) }
    let word = rest.prefix { $0 > 0x20 }
    guard let type = AuditReader.types[String(decoding: word, as: UTF8.self)] else { return .some(nil) }
    let body = rest[word.endIndex...].drop { $0 == 0x20 }
    return .some(LoggedText.item(type, body, RecordOrigin(time: time(before: line[..<place]))))
  }

  private static let kernel = Array(" kernel: ".utf8)

  /// `kernel: [210B blob data]`: any message, one of IPE too.
  private static func kernelBlob(_ line: ArraySlice<UInt8>) -> LoggedItem?? {
    guard line.hasSuffix(blob), let place = line.firstIndex(of: kernel),
      line[(place + kernel.count)...].first == UInt8(ascii: "[")
    else { return nil }
    return .some(hidden)
  }

  private static let hidden = LoggedItem.unreadable(
    "the journal does not show the message; journalctl --all or -o export does")

  /// What the fields of a record begin with, by its type; the others of IPE begin with its state.
  private static let starts: [Int: [UInt8]] = [
    1420: operation, 1121: operation, 1421: Array("old_active_pol_name=".utf8), 1422: Array("policy_name=".utf8),
  ]

  /// Whether that begins like the fields of a record of the type, or was cut in their beginning.
  static func isFields(_ body: ArraySlice<UInt8>, of type: Int) -> Bool {
    let start = starts[type] ?? Array("enforcing=".utf8)
    return body.starts(with: start) || body.isEmpty || start.starts(with: body)
  }

  /// Fields without anything before them.
  private static func bare(_ body: ArraySlice<UInt8>) -> LoggedItem? {
    let word = body.dropFirst(operation.count).prefix { 0x41...0x5a ~= $0 || $0 == UInt8(ascii: "_") }
    guard !word.isEmpty, body[word.endIndex...].starts(with: hook) else { return nil }
    let isAttempt =
      body.firstIndex(of: Array(" result=".utf8)) != nil && body.firstIndex(of: Array(" rule=".utf8)) == nil
    return LoggedText.item(isAttempt ? 1121 : 1420, body, RecordOrigin())
  }

  /// The time of a line of a log, which stands before the host's name; nil when there is none.
  private static func time(before prefix: ArraySlice<UInt8>) -> String? {
    var prefix = prefix
    if prefix.first == UInt8(ascii: "<"), let end = prefix.firstIndex(of: UInt8(ascii: ">")) {
      prefix = prefix[(end + 1)...]
    }
    let words = prefix.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    let time = words.dropLast().joined(separator: " ")
    guard time.utf8.contains(where: { 0x30...0x39 ~= $0 }) else { return nil }
    // `-o short-unix`: seconds since 1970.
    let parts = time.split(separator: ".")
    guard parts.count == 2, parts[1].utf8.count == 6, let seconds = UInt64(parts[0]), let rest = UInt64(parts[1])
    else { return time }
    return AuditStamp(seconds: seconds, milliseconds: rest / 1000, serial: 0).time ?? time
  }
}

/// What an entry of the journal says in its fields, whatever form it was printed in.
struct JournalEntry {
  /// Nil when the form leaves it out.
  var message: [UInt8]?
  /// `_AUDIT_TYPE`
  var auditType: String?
  /// `_AUDIT_TYPE_NAME`
  var auditName: String?
  /// `_AUDIT_ID`: the number of the event.
  var auditID: String?
  /// When the kernel wrote it (`_SOURCE_REALTIME_TIMESTAMP`), in microseconds.
  var written: String?
  /// When the journal took it (`__REALTIME_TIMESTAMP`), in microseconds.
  var taken: String?

  /// Calls with the record of the entry, when it is one.
  func read<E: Error>(_ visit: (LoggedItem) throws(E) -> Void) throws(E) {
    let names = [auditType, auditName].compactMap { $0 }
    let type = names.compactMap { AuditReader.types[$0] }.first
    if let type {
      guard let message else {
        return try visit(.unreadable("the entry of the journal has no message"))
      }
      let word = message.prefix { $0 > 0x20 }
      let isNamed = AuditReader.types[String(decoding: word, as: UTF8.self)] == type
      let body = isNamed ? message[word.endIndex...].drop { $0 == 0x20 } : message[...]
      if let item = LoggedText.item(type, body, origin) { try visit(item) }
    } else if names.isEmpty, let message {
      try LogLine.read(message[...], visit)
    }
  }

  private var origin: RecordOrigin {
    guard let microseconds = (written ?? taken).flatMap({ UInt64($0) }) else { return RecordOrigin(event: auditID) }
    let (seconds, milliseconds) = (microseconds / 1_000_000, microseconds / 1000 % 1000)
    guard let serial = auditID.flatMap({ UInt64($0) }) else {
      return RecordOrigin(time: AuditStamp(seconds: seconds, milliseconds: milliseconds, serial: 0).time)
    }
    return RecordOrigin(stamp: AuditStamp(seconds: seconds, milliseconds: milliseconds, serial: serial))
  }
}
