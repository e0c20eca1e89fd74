public import Gate
internal import Base
internal import Linux
public import Trust
internal import Workbench

/// Writes what the kernel's gate answered to the audit log.
///
/// In the text form only loads that were refused or would be are written, as refusals by the gate; the JSON form has every
/// record.
public struct GateRecorder: Sendable {
  private let log: AuditLog
  private let boot: String?

  /// Opens the log.
  public static func open(directory: String, sync: AuditSync) throws(AuditError) -> GateRecorder {
    GateRecorder(log: try AuditLog.open(directory: directory, sync: sync), boot: KernelSettings.bootID())
  }

  /// Appends one record for each event, all or none.
  public func record(_ events: [GateEvent]) throws(AuditError) {
    guard !events.isEmpty else { return }
    var lines = AuditLog.Lines()
    for event in events {
      let time = Timestamp.sinceBoot(event.time)
      if event.isLoad, event.isRefusal { lines.add(text: Self.text(event, at: time)) }
      lines.add(json(event, at: time))
    }
    try log.append(lines)
  }

  private static func text(_ event: GateEvent, at time: Timestamp) -> String {
    let file = event.deviceText.map { device in
      AccessRecord.File(path: nil, device: Array(device.utf8), inode: event.inode)
    }
    let access = AccessRecord(
      operation: "BPF_PROG_LOAD", hook: "BPF_PROG_LOAD", enforcing: event.verdict == .refused,
      pid: Int32(truncatingIfNeeded: event.pid), command: event.command, file: file, rule: "")
    let code = "gate.\(event.reason?.word ?? "reason-\(event.reasonNumber)")"
    return Workbench.AuditRecord.refusal(RefusalRecord(access: access, code: code))
      .line(AuditStamp(time, serial: UInt64(event.pid)), daemon: true)
  }

  private func json(_ event: GateEvent, at time: Timestamp) -> JSONValue {
    .object(
      [
        .init("schema", "verity-bpf/audit/1"), .init("time", .string(time.rfc3339)),
        .init("event", .string("gate:\(boot ?? ""):\(event.time):\(event.thread)")), AuditStage.gate.member,
        .init("boot_id", .optional(boot)),
      ] + event.jsonMembers)
  }
}
