internal import Workbench
internal import Base
internal import Linux

/// One decision as it is written to the audit log, in two forms of one meaning.
///
/// The text form is the kernel's own for IPE (record type 1420, ``Workbench/AccessRecord``), with
/// `BPF_PROG_LOAD` as operation and hook, so that tools that read the kernel's records read these too.
struct DecisionRecord {
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

  /// The IPE form, as auditd would write it to its log.
  func text(serial: UInt64) -> String {
    let file: AccessRecord.File? =
      if let path, let device, let inode {
        AccessRecord.File(path: Array(path.utf8), device: Array(device.utf8), inode: inode)
      } else {
        nil
      }
    let record = AccessRecord(
      operation: "BPF_PROG_LOAD", hook: "BPF_PROG_LOAD", enforcing: isEnforcing, pid: requester.pid,
      command: requester.command, file: file, rule: rule)
    let stamp = AuditStamp(
      seconds: UInt64(clamping: time.seconds), milliseconds: UInt64(clamping: time.nanoseconds / 1_000_000),
      serial: serial)
    return Workbench.AuditRecord.access(record).line(stamp, daemon: true)
  }

  /// The JSON form, one object on one line.
  func json(_ stage: Stage) -> JSONValue {
    var members: [JSONValue.Member] = []
    members.reserveCapacity(facts.count + 8)
    members += [
      .init("schema", "verity-bpf/audit/1"), .init("time", .string(time.rfc3339)), .init("event", .string(event)),
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
}
