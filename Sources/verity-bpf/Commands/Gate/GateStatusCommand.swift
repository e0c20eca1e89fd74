import Base
import Gate
import GateControl

/// `verity-bpf gate status`: what the gate enforces, what it does not, and why.
struct GateStatusCommand: Command {
  static let declaration = Declaration(
    "Say what the gate of this host enforces, what it does not, and why.",
    discussion: """
      Each line is something that a gate can be relied on for, whether that holds here, and what the answer rests on. A sealed \
      gate shows itself to the executables alone that the plan named with --loader.

      Exit codes: 0 every load without a row is refused; 1 no gate is installed, or its installation did not come to its end; 5 \
      the gate shows itself to other executables alone; 6 it is installed and refuses nothing.
      """,
    examples: ["verity-bpf gate status", "verity-bpf gate status --json"], options: [CommonOptions.json])
  static let schema = "verity-bpf/gate-status/1"
  static var makesThings: Bool { false }

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let status = try GateSurvey.status()
    if json {
      try Output.json(.object([.init("schema", .string(Self.schema))] + status.jsonMembers))
    } else {
      try Output.line("gate     \(status.standing.text)")
      for promise in status.promises {
        try Output.line("\(TextLayout.pad(promise.answer.rawValue, 9))\(promise.subject): \(promise.reason)")
      }
    }
    guard status.facts.state.isComplete else { throw GateError.incomplete(path: GateLayout.pinPath) }
    return status.facts.state.enforces ? 0 : Diagnostic.Category.unsupported.rawValue
  }
}

extension GateStanding {
  var text: String {
    switch self {
    case .watching: "watches, and refuses nothing"
    case .enforcing: "refuses loads without a row; root can take it away"
    case .sealed: "is sealed: refuses loads without a row until the next reboot"
    }
  }
}
