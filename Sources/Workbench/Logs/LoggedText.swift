internal import Base

/// Records in lines of text: of the kernel's ring buffer, of auditd and ausearch, of syslog daemons and of the journal.
enum LoggedText {
  /// What a line says; nil when it holds no record of interest.
  static func read(_ line: ArraySlice<UInt8>) -> LoggedItem? {
    switch AuditHeader.find(in: line) {
    case .foreign: return nil
    case .cut: return .unreadable("the header of the record is cut")
    case .found(let header): return header.isInterpreted ? interpreted(header) : record(header)
    case .missing: break
    }
    if let message = JournalMessage(in: line) { return message.item }
    return tail(line)
  }

  private static func record(_ header: AuditHeader) -> LoggedItem? {
    item(header.type, header.body, RecordOrigin(stamp: header.stamp))
  }

  /// Reads a record's fields as a log has them.
  static func item(_ type: Int, _ body: ArraySlice<UInt8>, _ origin: RecordOrigin) -> LoggedItem? {
    switch AuditReader.body(type, LoggedBody.plain(body)) {
    case .record(let record): .record(origin, .text(record))
    case .other: nil
    case .damaged(let reason): .unreadable(reason)
    }
  }

  /// What `ausearch -i` has made of a record.
  private static func interpreted(_ header: AuditHeader) -> LoggedItem? {
    let origin = RecordOrigin(time: header.time, event: header.serial)
    if header.type == 1420 {
      do throws(InterpretedFields.Failure) {
        return .record(origin, .text(try InterpretedFields.access(header.body)))
      } catch {
        return .unreadable(error.reason)
      }
    }
    // Types that other programs write too.
    if header.type == 1121, !header.body.starts(with: Self.operation) { return nil }
    if header.type == 1404, header.body.firstIndex(of: Self.ipe) == nil { return nil }
    return .record(origin, .withoutDecision(type: header.type))
  }

  private static let operation = Array("ipe_op=".utf8)
  private static let ipe = Array("lsm=ipe".utf8)
  private static let ruleStart = Array(" rule=\"".utf8)
  private static let inode = Array("ino=".utf8)

  /// The end of a record whose beginning is not there.
  private static func tail(_ line: ArraySlice<UInt8>) -> LoggedItem? {
    guard LineFilter.mayEndRecord(line), line.last == 0x22, line.firstIndex(of: ruleStart) != nil,
      line.firstIndex(of: inode) != nil
    else { return nil }
    return .unreadable("the beginning of the record is not there")
  }
}

/// `type=NAME msg=audit(TIME:SERIAL): `, wherever in a line it stands.
struct AuditHeader {
  let type: Int
  /// The kernel's time and number; nil where ausearch has translated the time.
  let stamp: AuditStamp?
  let time: String?
  let serial: String?
  /// What stands behind it.
  let body: ArraySlice<UInt8>

  /// Whether ausearch has translated the record.
  var isInterpreted: Bool { stamp == nil }

  enum Search {
    case missing
    /// The line is a record of another type.
    case foreign
    /// It begins one of IPE's types, and the line ends in it.
    case cut
    case found(AuditHeader)
  }

  private static let typeWord = Array("type=".utf8)
  private static let messageWord = Array("msg=".utf8)
  private static let auditWord = Array("audit(".utf8)

  static func find(in line: ArraySlice<UInt8>) -> Search {
    var from: Int? = nil
    while let place = line.firstIndex(of: typeWord, from: from) {
      from = place + 1
      guard place == line.startIndex || !isInName(line[place - 1]) else { continue }
      let word = line[(place + typeWord.count)...].prefix { $0 > 0x20 }
      let type = AuditReader.types[String(decoding: word, as: UTF8.self)]
      let isOfIPE = type.map { 1420...1422 ~= $0 } ?? false
      var rest = line[word.endIndex...].drop { $0 == 0x20 }
      if rest.starts(with: messageWord) { rest = rest.dropFirst(messageWord.count) }
      guard rest.starts(with: auditWord) else {
        let isCut = auditWord.starts(with: rest) || messageWord.starts(with: rest)
        if isOfIPE, isCut { return .cut }
        continue
      }
      // The first record of a line is the line's own; what stands in its fields is no other one.
      guard let type else { return .foreign }
      rest = rest.dropFirst(auditWord.count)
      guard let close = rest.firstIndex(of: UInt8(ascii: ")")), let header = AuditHeader(type, rest, close) else {
        return isOfIPE ? .cut : .foreign
      }
      return .found(header)
    }
    return .missing
  }

  /// Whether a byte is part of a longer name: `subtype=`.
  static func isInName(_ byte: UInt8) -> Bool {
    let (lower, digit) = (UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"))
    return lower.contains(byte | 0x20) || digit.contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".")
  }

  private init?(_ type: Int, _ inside: ArraySlice<UInt8>, _ close: Int) {
    self.type = type
    let text = inside[..<close]
    guard let colon = text.lastIndex(of: UInt8(ascii: ":")), let serial = Self.number(text[(colon + 1)...]) else {
      return nil
    }
    let moment = text[..<colon]
    let parts = moment.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if parts.count == 2, let seconds = Self.number(parts[0]), let milliseconds = Self.number(parts[1]) {
      stamp = AuditStamp(seconds: seconds, milliseconds: milliseconds, serial: serial)
      (time, self.serial) = (nil, nil)
    } else {
      guard moment.contains(UInt8(ascii: ":")) else { return nil }
      (stamp, time, self.serial) = (nil, String(decoding: moment, as: UTF8.self), String(serial))
    }
    body = inside[(close + 1)...].drop { $0 == UInt8(ascii: ":") || $0 == 0x20 }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard 1...18 ~= digits.count else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard 0x30...0x39 ~= digit else { return nil }
      value = value * 10 + UInt64(digit & 15)
    }
    return value
  }
}
