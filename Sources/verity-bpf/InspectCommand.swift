import ArgumentParser
import ByteKit
import Diagnostics
import JSONText
import LinuxSys

/// `verity-bpf inspect`: what is in a file, said without loading or trusting it.
struct InspectCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Describe a BPF object: programs, maps, helpers, and what lockdown forbids of them.",
    discussion: """
      Nothing is loaded, nothing is trusted, and no privilege is needed.

      Example: verity-bpf inspect xdp_counter.bpf.o
      """)
  static let schema = "verity-bpf/inspect/1"

  @Argument(help: ArgumentHelp("A BPF object.", valueName: "file"))
  var file: String

  @Flag(name: .long, help: "Print one JSON object.")
  var json = false

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    try inspectObject()
    return 0
  }
}
