import Admission
import Base
import Gate
import GateControl
import Linux
import Trust

/// `verity-bpf gate events`: the gate's records, into the audit log.
struct GateEventsCommand: Command {
  static let follow = Key.flag("--follow", "Go on, and wait for further records.")

  static let declaration = Declaration(
    "Take the gate's records: print them, and write them to the audit log.",
    discussion: """
      A record is gone from the gate's buffer only when it is in the audit log. What finds no place in the buffer is lost, and \
      counted. One process should do this all the time; `gate watch` looks without taking.

      Exit codes: 0 the records are written; 1 no gate is installed, or the log cannot be written; 5 the gate shows itself to \
      other executables alone.
      """,
    examples: ["verity-bpf gate events", "verity-bpf gate events --follow --json"],
    options: [follow, CommonOptions.auditDirectory, CommonOptions.auditSync, CommonOptions.json])
  static let schema = "verity-bpf/gate-event/1"

  let follow: Bool
  let auditDir: String?
  let auditSync: AuditSync?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    follow = try words[Self.follow]
    auditDir = try words[CommonOptions.auditDirectory]
    auditSync = try words[CommonOptions.auditSync]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "the records that were printed before are in the audit log" }

  func execute() throws -> Int32 {
    var reader = try GateEventReader()
    let recorder = try GateRecorder.open(
      directory: try Site.auditDirectory(auditDir), sync: try Site.auditSync(auditSync))
    while true {
      let events = try reader.take { events throws(AuditError) in try recorder.record(events) }
      for event in events {
        if json {
          try Output.json(
            .object(
              [
                .init("schema", .string(Self.schema)),
                .init("time", .string(Timestamp.sinceBoot(event.time).rfc3339)),
              ] + event.jsonMembers))
        } else {
          try Output.line("\(Timestamp.sinceBoot(event.time).rfc3339) \(event.line)")
        }
      }
      if let lost = try reader.newlyLost() {
        Output.warning("gate.lost", "\(lost) records found no place in the gate's buffer and are nowhere")
      }
      guard follow else { return 0 }
      try reader.wait()
    }
  }
}
