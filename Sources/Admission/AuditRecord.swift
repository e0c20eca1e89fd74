internal import JSONText
internal import LinuxSys

/// One decision as it is written to the audit log, in two forms of one meaning.
///
/// The text form is the kernel's own for IPE (security/ipe/audit.c, record type 1420 AUDIT_IPE_ACCESS), with
/// `BPF_PROG_LOAD` as operation and hook, so that tools that read the kernel's records read these too.
struct AuditRecord {
  /// What became of the decision.
  enum Stage {
    /// Written before anything is loaded.
    case decision
    /// Written when the load has ended, with what the kernel made of it.
    case outcome(JSONValue)
  }

  let time: Timestamp
  /// Ties the outcome to its decision: unique on this machine.
  let event: String
  let requester: ProcessIdentity
  /// The object's path as the requester knows it, for people.
  let path: String?
  /// The device the object's file system is on.
  let device: String?
  let inode: UInt64?
  /// The rule that decided, as policy text.
  let rule: String
  let isAllowed: Bool
  /// False when the policy is permissive.
  let isEnforcing: Bool
  /// Everything else that is known, for the JSON form.
  let facts: [JSONValue.Member]

  /// The IPE form, with the header that auditd gives a record.
  func text(serial: Int) -> String {
    let file =
      if let path, let device, let inode {
        "path=\(Self.untrusted(Array(path.utf8))) dev=\(Self.untrusted(Array(device.utf8))) ino=\(inode)"
      } else {
        "path=? dev=? ino=?"
      }
    return "type=1420 audit(\(time.auditTime):\(serial)): ipe_op=BPF_PROG_LOAD ipe_hook=BPF_PROG_LOAD enforcing=\(isEnforcing ? 1 : 0) "
      + "pid=\(requester.pid) comm=\(Self.untrusted(requester.command)) \(file) rule=\"\(rule)\""
  }

  /// The JSON form, one object on one line.
  func json(_ stage: Stage) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/audit/1"),
      .init("time", .string(time.rfc3339)),
      .init("event", .string(event)),
    ]
    switch stage {
    case .decision:
      members += [
        .init("stage", "decision"), .init("op", "BPF_PROG_LOAD"),
        .init("decision", isAllowed ? "allow" : "deny"), .init("rule", .string(rule)),
        .init(
          "requester",
          [
            "pid": .integer(Int64(requester.pid)), "uid": .integer(Int64(requester.uid)),
            "auid": requester.auditUID.map { .integer(Int64($0)) } ?? nil,
            "comm": .string(String(decoding: requester.command, as: UTF8.self)),
          ]),
      ]
      members += facts
    case .outcome(let outcome):
      members += [.init("stage", "outcome"), .init("outcome", outcome)]
    }
    return .object(members)
  }

  /// A string from outside as the kernel writes it (audit_log_untrustedstring): in quotes, or as bare upper-case hex
  /// when it holds a byte below 0x21 or above 0x7e, or a quote. No name can end its field or begin a new record.
  static func untrusted(_ bytes: [UInt8]) -> String {
    let isPlain = bytes.allSatisfy { $0 >= 0x21 && $0 <= 0x7e && $0 != UInt8(ascii: "\"") }
    if isPlain { return "\"" + String(decoding: bytes, as: UTF8.self) + "\"" }
    let digits = Array("0123456789ABCDEF".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
