internal import Base
internal import Linux
internal import Workbench

/// How an attempt ended that came to no decision and no outcome of its own.
enum AttemptEnding {
  /// Its process is gone, and has not recorded how it ended.
  ///
  /// - Parameter pins: what it has left pinned, as far as that can be seen.
  case crashed(pins: [String])
  /// A signal ended the run, and what it had made was undone.
  case interrupted(Int32)
  /// The run ended before the object's turn.
  case notBegun

  private var stage: AttemptRecord.Stage {
    switch self {
    case .crashed: .crashed
    case .interrupted: .interrupted
    case .notBegun: .notBegun
    }
  }

  private var pins: [String] {
    switch self {
    case .crashed(let pins): pins
    case .interrupted, .notBegun: []
    }
  }

  private var message: String {
    switch self {
    case .crashed(let pins):
      "the process is gone, and has not recorded what came of it; "
        + (pins.isEmpty ? "what it had pinned may be there" : "its run has left pins")
    case .interrupted(let signal): "\(SignalResponse.name(signal)) ended the run, and what it had made was undone"
    case .notBegun: "the run ended before the object's turn"
    }
  }

  /// Adds the record of the end, with what the attempt's own record says of who and what.
  func add(to lines: inout AuditLog.Lines, event: String, attempt: JSONValue) {
    let time = Timestamp.now()
    var members: [JSONValue.Member] = [
      .init("schema", "verity-bpf/audit/1"), .init("time", .string(time.rfc3339)), .init("event", .string(event)),
      AuditStage.outcome.member,
    ]
    if case .object(let known) = attempt {
      let own: Set = ["schema", "time", "event", "stage", "boot_id"]
      members += known.filter { !own.contains($0.name) }
    }
    var outcome: [JSONValue.Member] = [.init("result", .string(stage.rawValue)), .init("message", .string(message))]
    if !pins.isEmpty { outcome.append(.init("pins", .array(pins.map { .string($0) }))) }
    members.append(.init("outcome", .object(outcome)))
    lines.add(.object(members))
    lines.add(text: AttemptText(attempt).line(event: event, stage: stage, at: time))
  }
}

/// An attempt in the text form, made of its record.
struct AttemptText {
  private let record: JSONValue

  init(_ record: JSONValue) { self.record = record }

  func line(event: String, stage: AttemptRecord.Stage, at time: Timestamp) -> String {
    let requester = record["requester"]
    let pid = requester?["pid"]?.number.flatMap { Int32(exactly: $0) } ?? 0
    let text = AttemptRecord(
      operation: record["op"]?.text ?? "BPF_PROG_LOAD", pid: pid, command: Array((requester?["comm"]?.text ?? "").utf8),
      file: AskedObject.file(record), uid: requester?["uid"]?.number, gid: requester?["gid"]?.number,
      auid: requester?["auid"]?.number, executable: requester?["exe"]?.text.map { Array($0.utf8) }, event: event,
      stage: stage)
    return Workbench.AuditRecord.attempt(text).line(
      AuditStamp(time, serial: UInt64(clamping: pid)), daemon: true)
  }
}

extension AuditStamp {
  init(_ time: Timestamp, serial: UInt64) {
    self.init(
      seconds: UInt64(clamping: time.seconds), milliseconds: UInt64(clamping: time.nanoseconds / 1_000_000),
      serial: serial)
  }
}

extension JSONValue {
  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var number: UInt64? {
    guard case .integer(let number) = self else { return nil }
    return UInt64(exactly: number)
  }
}
