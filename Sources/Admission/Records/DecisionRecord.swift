internal import Workbench
internal import Base
internal import Linux

/// One decision as it is written to the audit log, in two forms of one meaning; or a refusal before it, which has the same
/// fields.
///
/// The text form is the kernel's own for IPE (record type 1420, ``Workbench/AccessRecord``), with
/// `BPF_PROG_LOAD` as operation and hook, so that tools that read the kernel's records read these too.
struct DecisionRecord {
  enum Stage {
    /// Written before anything is loaded.
    case decision(isAllowed: Bool)
    /// Written when a load has ended before a policy decided.
    case refusal(JSONValue)
  }

  let time: Timestamp
  /// Ties the outcome to its decision, and both to the attempt: unique on this machine.
  let event: String
  let requester: ProcessIdentity
  /// The same as the JSON form has it.
  let requesterJSON: JSONValue
  /// The object's path as the requester knows it, for people.
  let path: String?
  /// The device the object's file system is on, or the image that holds it.
  let device: String?
  let inode: UInt64?
  /// The rule that decided, as policy text; empty where none did.
  let rule: String
  /// False when the policy is permissive.
  let isEnforcing: Bool
  /// What the shadow policy says, which the facts have too; nil where there is none.
  var shadow: AccessRecord.Shadow?
  /// Everything else that is known, for the JSON form.
  let facts: [JSONValue.Member]

  /// The IPE form, as auditd would write it to its log.
  var text: String { line(.access(access)) }

  /// The same for a refusal, with the code of its diagnostic.
  func refusalText(code: String) -> String { line(.refusal(RefusalRecord(access: access, code: code))) }

  private var access: AccessRecord {
    AccessRecord(
      operation: "BPF_PROG_LOAD", hook: "BPF_PROG_LOAD", enforcing: isEnforcing, pid: requester.pid,
      command: requester.command, file: AskedObject.file(path, device, inode), rule: rule,
      shadow: shadow)
  }

  private func line(_ record: Workbench.AuditRecord) -> String {
    record.line(AuditStamp(time, serial: UInt64(clamping: requester.pid)), daemon: true)
  }

  /// The JSON form, one object on one line.
  func json(_ stage: Stage) -> JSONValue {
    var members = Self.head(event, at: time)
    members.reserveCapacity(facts.count + 10)
    switch stage {
    case .decision(let isAllowed):
      members += [
        AuditStage.decision.member, .init("op", "BPF_PROG_LOAD"),
        .init("decision", isAllowed ? "allow" : "deny"), .init("rule", .string(rule)),
        .init("requester", requesterJSON),
      ]
      members += facts
    case .refusal(let outcome):
      members += [AuditStage.outcome.member, .init("op", "BPF_PROG_LOAD"), .init("requester", requesterJSON)]
      members += facts
      members.append(.init("outcome", outcome))
    }
    return .object(members)
  }

  /// What became of a decision, when the load has ended.
  static func outcome(_ outcome: JSONValue, of event: String, at time: Timestamp) -> JSONValue {
    .object(head(event, at: time) + [AuditStage.outcome.member, .init("outcome", outcome)])
  }

  private static func head(_ event: String, at time: Timestamp) -> [JSONValue.Member] {
    [.init("schema", "verity-bpf/audit/1"), .init("time", .string(time.rfc3339)), .init("event", .string(event))]
  }
}
