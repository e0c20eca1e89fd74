import Base
import Gate
import GateControl

/// `verity-bpf gate watch`: what the gate would refuse.
struct GateWatchCommand: Command {
  static let declaration = Declaration(
    "Say what the gate would refuse, and which rows would admit it.",
    discussion: """
      Reads the records that the gate has made and that `gate events` has not taken. They stay. Equal ones are counted.

      Exit codes: 0 nothing would be refused of what was seen; 2 something would be, or was; 1 no gate is installed; 5 the gate \
      shows itself to other executables alone.
      """,
    examples: ["verity-bpf gate watch", "verity-bpf gate watch --json"], options: [CommonOptions.json])
  static let schema = "verity-bpf/gate-watch/1"
  static var makesThings: Bool { false }

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let (events, taken) = try GateSurvey.watched()
    let lost = try GateSurvey.lostRecords()
    let summary = WatchSummary(events)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "refusals": .array(summary.loads.map(\.json)),
        "admitted": .integer(Int64(summary.admitted)), "others": .integer(Int64(summary.others)),
        "lost": .unsigned(lost), "taken_before": .bool(taken),
      ])
    } else {
      for load in summary.loads {
        try Output.line("\(load.count)x  \(load.event.line)")
        if let volume = load.event.volume {
          try Output.line(Output.row("runs", "inode \(load.event.inode) of \(volume)"))
        } else if let device = load.event.deviceText {
          try Output.line(Output.row("runs", "inode \(load.event.inode) of device \(device)"))
        }
        if let digest = load.event.digestHex { try Output.line(Output.row("digest", digest)) }
        try Output.line(Output.row("next", load.advice))
      }
      let count = summary.loads.reduce(0) { $0 + $1.count }
      try Output.line("\(summary.admitted) loads were admitted by rows, \(count) were not or would not be")
    }
    if taken { Output.note("note: `gate events` has taken earlier records; they are in the audit log") }
    if lost > 0 {
      Output.warning(
        "gate.lost", "\(lost) records found no place, so there may be more", next: "verity-bpf gate events --follow")
    }
    return summary.loads.isEmpty ? 0 : Diagnostic.Category.denied.rawValue
  }
}
