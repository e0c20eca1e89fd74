import ArgumentParser
import LinuxSys

/// The command. One file a subcommand; nothing but parsing, printing and exit codes.
@main
struct VerityBPF: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "verity-bpf",
    abstract: "Decide which eBPF programs may enter the kernel, by proof of where their bytes come from.",
    discussion: "verity-bpf --version prints the version.",
    // No `version:` for the parser: its flag of that name counts behind every subcommand too, and a mistake there would
    // print the version as a success instead of being a mistake. `PlainArguments` knows the flag where it stands alone.
    subcommands: [
      BuildImageCommand.self,
      VerifyCommand.self,
      SignCommand.self,
      InspectCommand.self,
      MountCommand.self,
      UmountCommand.self,
      ProvenanceCommand.self,
      LoadCommand.self,
      UnloadCommand.self,
      PsCommand.self,
      PolicyCommand.self,
      DoctorCommand.self,
      SelfTestCommand.self,
      ExplainErrorCommand.self,
    ])

  static func main() {
    StandardStream.fillGaps()
    guard let status = PlainArguments.run(ProcessArguments.all.dropFirst()) else { return main(nil) }
    if status != 0 { exit(withError: ExitCode(status)) }
  }
}
