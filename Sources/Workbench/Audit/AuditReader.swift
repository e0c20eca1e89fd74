/// Reads audit logs: lines of the kernel's ring buffer, of auditd and of the journal.
public enum AuditReader {
  /// What a line of a log is.
  public enum Line: Equatable, Sendable {
    /// A record of IPE.
    case record(AuditStamp, AuditRecord)
    /// Something else: another record, another program's line, nothing.
    case other
    /// It begins like a record of IPE, and cannot be read to its end.
    case damaged(String)
  }

  /// Reads one line, without its line feed.
  public static func read(_ line: some Collection<UInt8>) -> Line {
    let bytes = Array(line)
    guard let start = header(bytes) else { return .other }
    guard let stamp = start.stamp else { return .damaged("the header of the record is cut") }
    // auditd appends translated fields behind the byte 0x1d; they repeat what the record says.
    switch body(start.type, bytes[start.body...].prefix { $0 != 0x1d }) {
    case .record(let record): return .record(stamp, record)
    case .other: return .other
    case .damaged(let reason): return .damaged(reason)
    }
  }

  /// What the fields of a record are.
  enum Body: Equatable {
    case record(AuditRecord)
    /// They are none of IPE's or of this program's.
    case other
    case damaged(String)
  }

  /// Reads the fields of a record, as they stand behind `audit(TIME:SERIAL): `.
  ///
  /// - Parameter type: one of ``types``.
  static func body(_ type: Int, _ body: ArraySlice<UInt8>) -> Body {
    if type == 1420, let record = AccessFields.inTheKernelsOrder(body) { return .record(decided(record)) }
    var fields = FieldReader(body)
    let record: AuditRecord?
    switch type {
    case 1121:
      // Other programs write records of this type too.
      guard fields.hasField("ipe_op=") else { return .other }
      record = attempt(&fields)
    case 1420: record = access(&fields)
    case 1421: record = activation(&fields)
    case 1422: record = load(&fields)
    default:
      // MAC_STATUS is SELinux's too. The kernel prints it without fields when a rate limit or a race ate them.
      guard fields.hasField("lsm=ipe") else { return .other }
      record = status(&fields)
    }
    return record.map { .record($0) } ?? .damaged(fields.failure ?? "a field of the record cannot be read")
  }

  /// A line of IPE's type in which no rule stands is a refusal before a policy decided.
  private static func decided(_ record: AccessRecord) -> AuditRecord {
    RefusalRecord(record).map { .refusal($0) } ?? .access(record)
  }

  /// Finds `type=N audit(…): ` or `type=NAME msg=audit(…): `; nil when the line holds no record of interest.
  private static func header(_ bytes: [UInt8]) -> (type: Int, stamp: AuditStamp?, body: Int)? {
    guard let typeStart = find("type=", in: bytes, from: 0) else { return nil }
    let word = bytes[typeStart...].prefix { $0 != 0x20 }
    let name = String(decoding: word, as: UTF8.self)
    guard let type = types[name] else { return nil }
    guard let open = find("audit(", in: bytes, from: word.endIndex),
      let close = bytes[open...].firstIndex(of: 0x29)
    else { return (type, nil, bytes.count) }
    let parts = bytes[open..<close].split(omittingEmptySubsequences: false) { $0 == 0x2e || $0 == 0x3a }
    let numbers = parts.compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    guard parts.count == 3, numbers.count == 3 else { return (type, nil, bytes.count) }
    var body = close + 1
    while body < bytes.count, bytes[body] == 0x3a || bytes[body] == 0x20 { body += 1 }
    return (type, AuditStamp(seconds: numbers[0], milliseconds: numbers[1], serial: numbers[2]), body)
  }

  /// The types of IPE's records and of this program's, by each of their spellings.
  static let types: [String: Int] = {
    var table: [String: Int] = [:]
    for (number, name) in [
      (1121, "TRUSTED_APP"), (1404, "MAC_STATUS"), (1420, "IPE_ACCESS"), (1421, "IPE_CONFIG_CHANGE"),
      (1422, "IPE_POLICY_LOAD"),
    ] {
      // The kernel and auditd, ausearch, and the journal.
      for spelling in ["\(number)", name, "UNKNOWN[\(number)]", "AUDIT_\(name)", "AUDIT\(number)"] {
        table[spelling] = number
      }
    }
    return table
  }()

  /// The place behind the first occurrence of a word at or after `start`.
  static func find(_ word: String, in bytes: [UInt8], from start: Int) -> Int? {
    let wanted = Array(word.utf8)
    guard let first = wanted.first, bytes.count >= wanted.count else { return nil }
    var place = start
    while place <= bytes.count - wanted.count {
      if bytes[place] == first, bytes[place..<(place + wanted.count)].elementsEqual(wanted) {
        return place + wanted.count
      }
      place += 1
    }
    return nil
  }
}

// MARK: - The records' fields

extension AuditReader {
  private static func access(_ fields: inout FieldReader) -> AuditRecord? {
    guard let operation = fields.word("ipe_op"), let hook = fields.word("ipe_hook"),
      let enforcing = fields.flag("enforcing"), let (pid, command, file) = fields.asking()
    else { return nil }
    let shadow = fields.shadow()
    guard let rule = fields.rest("rule"), rule.hasSuffix("action=ALLOW") || rule.hasSuffix("action=DENY")
    else { return nil }
    let record = AccessRecord(
      operation: operation, hook: hook, enforcing: enforcing, pid: pid, command: command, file: file,
      rule: AuditEncoding.policyText(rule), shadow: shadow)
    return decided(record)
  }

  private static func attempt(_ fields: inout FieldReader) -> AuditRecord? {
    guard let operation = fields.word("ipe_op"), let (pid, command, file) = fields.asking(),
      let uid = fields.word("uid"), let gid = fields.word("gid"), let auid = fields.word("auid"),
      let executable = fields.raw("exe"), let event = fields.raw("event").flatMap({ AuditEncoding.decode($0) }),
      let result = fields.word("result")
    else { return nil }
    guard let stage = AttemptRecord.Stage(rawValue: result) else {
      fields.fail("result=\(result) is not known to this version")
      return nil
    }
    let login = UInt64(auid)
    return .attempt(
      AttemptRecord(
        operation: operation, pid: pid, command: command, file: file, uid: UInt64(uid), gid: UInt64(gid),
        auid: login == UInt64(UInt32.max) ? nil : login,
        executable: AuditEncoding.decode(executable), event: String(decoding: event, as: UTF8.self), stage: stage))
  }

  private static func activation(_ fields: inout FieldReader) -> AuditRecord? {
    let old = fields.policy("old_active_pol_name", "old_active_pol_version", "old_policy_digest")
    guard let old, let new = fields.policy("new_active_pol_name", "new_active_pol_version", "new_policy_digest"),
      let after = new, let subject = fields.subject(), fields.flag("res") != nil
    else { return nil }
    return .activation(ActivationRecord(old: old, new: after, subject: subject))
  }

  private static func load(_ fields: inout FieldReader) -> AuditRecord? {
    guard let policy = fields.policy("policy_name", "policy_version", "policy_digest"), let subject = fields.subject(),
      let succeeded = fields.flag("res")
    else { return nil }
    let errno = fields.word("errno").flatMap { Int32($0) }
    return .load(
      LoadRecord(
        policy: policy, subject: subject, succeeded: succeeded, errno: errno, isShadow: fields.hasField(" shadow=1")))
  }

  private static func status(_ fields: inout FieldReader) -> AuditRecord? {
    guard let enforcing = fields.flag("enforcing"), let before = fields.flag("old_enforcing"),
      let subject = fields.subject()
    else { return nil }
    return .status(StatusRecord(enforcing: enforcing, wasEnforcing: before, subject: subject))
  }
}

/// Takes the fields of a record one after the other; fields in between that it is not asked for are passed over.
private struct FieldReader {
  private let bytes: [UInt8]
  private var cursor = 0
  /// The field that could not be taken.
  private(set) var failure: String?

  init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

  /// Says why the record cannot be taken, unless that is known already.
  mutating func fail(_ reason: String) { failure = failure ?? reason }

  func hasField(_ text: String) -> Bool { AuditReader.find(text, in: bytes, from: 0) != nil }

  /// The place behind `name=`, which begins a word.
  private mutating func begin(_ name: String) -> Int? {
    var from = cursor
    while let place = AuditReader.find("\(name)=", in: bytes, from: from) {
      let start = place - name.utf8.count - 1
      if start == 0 || bytes[start - 1] == 0x20 { return place }
      from = place
    }
    failure = failure ?? "the field \(name)= is missing"
    return nil
  }

  /// A value as it stands, with its quotes.
  mutating func raw(_ name: String) -> ArraySlice<UInt8>? {
    guard let start = begin(name) else { return nil }
    var end = start
    if end < bytes.count, bytes[end] == 0x22 {
      end += 1
      while end < bytes.count, bytes[end] != 0x22 { end += 1 }
      guard end < bytes.count else {
        failure = failure ?? "the field \(name)= is cut"
        return nil
      }
      end += 1
    } else {
      while end < bytes.count, bytes[end] != 0x20 { end += 1 }
    }
    cursor = end
    return bytes[start..<end]
  }

  /// A value without quotes.
  mutating func word(_ name: String) -> String? {
    guard let value = raw(name), !value.isEmpty else { return nil }
    return String(decoding: value, as: UTF8.self)
  }

  /// `0` or `1`.
  mutating func flag(_ name: String) -> Bool? {
    switch word(name) {
    case "1": true
    case "0": false
    default: nil
    }
  }

  /// The last field, whose value has quotes inside its quotes: up to the last quote of the line.
  mutating func rest(_ name: String) -> String? {
    guard let start = begin(name) else { return nil }
    guard start < bytes.count, bytes[start] == 0x22, let end = bytes.lastIndex(of: 0x22), end > start,
      bytes[(end + 1)...].allSatisfy({ $0 <= 0x20 })
    else {
      failure = failure ?? "the field \(name)= is cut"
      return nil
    }
    cursor = bytes.count
    return String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
  }

  /// A policy's three fields; the inner nil says that the record names none (`?`).
  mutating func policy(_ name: String, _ version: String, _ digest: String) -> AuditedPolicy?? {
    guard let start = begin(name) else { return nil }
    if start < bytes.count, bytes[start] == 0x3f {
      cursor = start
      guard word(version) != nil, word(digest) != nil else { return nil }
      return .some(nil)
    }
    // A policy's name may hold quotes, but no blank, so the next field's name ends it.
    guard start < bytes.count, bytes[start] == 0x22,
      let end = AuditReader.find("\" \(version)=", in: bytes, from: start + 1)
    else {
      failure = failure ?? "the field \(name)= is cut"
      return nil
    }
    let text = bytes[(start + 1)..<(end - version.utf8.count - 3)]
    cursor = end - version.utf8.count - 1
    guard let number = word(version), let value = word(digest), value.hasPrefix("sha256:"),
      let bytes = AuditEncoding.decode(Array(value.dropFirst(7).utf8)), bytes.count == 32
    else {
      failure = failure ?? "the field \(digest)= is cut"
      return nil
    }
    return .some(AuditedPolicy(name: Array(text), version: number, digest: bytes))
  }

  /// Who asked about what: the fields that decisions and attempts share.
  mutating func asking() -> (pid: Int32, command: [UInt8], file: AccessRecord.File?)? {
    guard let pid = word("pid").flatMap({ Int32($0) }), let command = raw("comm").flatMap({ AuditEncoding.decode($0) }),
      let path = raw("path"), let device = raw("dev"), let inode = word("ino")
    else { return nil }
    let file = AuditEncoding.decode(device).map {
      AccessRecord.File(path: AuditEncoding.decode(path), device: $0, inode: UInt64(inode))
    }
    return (pid, command, file)
  }

  /// What the shadow policy said, where the record has it: it stands right behind the file.
  mutating func shadow() -> AccessRecord.Shadow? {
    guard bytes[cursor...].starts(with: " shadow_decision=".utf8), let decision = word("shadow_decision"),
      let rule = raw("shadow_rule").flatMap({ AuditEncoding.decode($0) })
    else { return nil }
    return AccessRecord.Shadow(decision: decision, rule: String(decoding: rule, as: UTF8.self))
  }

  mutating func subject() -> AuditSubject? {
    guard let auid = word("auid").flatMap({ UInt32($0) }), let session = word("ses").flatMap({ UInt32($0) }) else {
      return nil
    }
    return AuditSubject(auid: auid, session: session)
  }
}
