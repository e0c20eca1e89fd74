import Base
import Gate
import GateControl

/// `verity-bpf gate seal`: from here on the kernel refuses.
struct GateSealCommand: Command {
  static let mode: Key<GateRequest.Mode> = .required(
    "--mode",
    "What loaders may load from now on: digests for instructions that the rows list, loader for what they allow themselves."
  )
  static let untilReboot = Key.flag(
    "--until-reboot", "Nothing takes the gate away, or changes its rows, before the next reboot.")
  static let despite = Key.flag(
    "--despite", "Also when the gate has seen loads that no row admits: they are refused from now on.")

  static let declaration = Declaration(
    "Have the gate refuse what no row admits.",
    discussion: """
      First the records of `gate watch` are looked at: with loads among them that no row admits nothing is changed, but with \
      --despite. Then the gate enforces, and only then the loaded programs are looked through for any that could undo its \
      answers: LSM programs, and programs on security hooks, other than the gate's own and those that pid 1 holds. One of them \
      keeps the gate from being sealed, and it watches again.

      Without --until-reboot `unload --pin-path \(GateLayout.pinPath)` takes the gate away. With it the rows are frozen and the \
      gate's parts closed: an image or loader that was not planned with is refused until the next reboot. Plan with the \
      next ones too.

      Exit codes: 0 the gate refuses from now on; 1 it does not, for the reason given; 3 there are no rows for the mode; 5 the \
      kernel refused; 64 usage.
      """,
    examples: ["verity-bpf gate seal --mode loader", "verity-bpf gate seal --mode digests --until-reboot"],
    options: [mode, untilReboot, despite, CommonOptions.json])
  static let schema = "verity-bpf/gate-seal/1"

  let mode: GateRequest.Mode
  let untilReboot: Bool
  let despite: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    mode = try words[Self.mode]
    untilReboot = try words[Self.untilReboot]
    despite = try words[Self.despite]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "the gate refuses what no row admits" }

  func execute() throws -> Int32 {
    let result = try GateSeal(mode: mode, untilReboot: untilReboot, despite: despite).apply()
    if json {
      try Output.json([
        "schema": .string(Self.schema), "standing": .string(result.state.standing.rawValue),
        "mode": .string(mode.rawValue), "judging": .integer(Int64(result.judging)),
        "listed": .integer(Int64(result.listed)), "closes_modules": .bool(result.state.closesModules),
        "earlier_programs": .integer(Int64(result.stock.earlier)), "refused": .array(result.refused.map(\.json)),
      ])
    } else {
      try Output.line("gate     \(result.state.standing.text)")
      try Output.line(
        "loaders  \(result.judging) load what they allow themselves, \(result.listed) what the rows list")
      if result.state.closesModules { try Output.line("modules  the gate keeps modules and other kernels out") }
      if result.stock.earlier > 0 {
        try Output.line("earlier  \(result.stock.earlier) programs were loaded before the gate and stay")
      }
      for load in result.refused { try Output.line("refused  \(load.count)x \(load.event.line)") }
    }
    return 0
  }
}
