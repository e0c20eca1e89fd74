import ArgumentParser
import LinuxSys

/// All commands. One file a subcommand; nothing but parsing, printing and exit codes.
@main
struct VerityBPF: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verity-bpf",
    abstract: "Decide which eBPF programs may enter the kernel, by proof of where their bytes come from.",
    discussion: "verity-bpf --version prints the version.",
    // No `version:` for the parser: its flag of that name counts behind every subcommand too, and a mistake there would
    // print the version as a success instead of being a mistake. The other program knows the flag where it stands alone.
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
    // What is given in the plainest form is read without the parser, which takes longer than the rest of a start.
    if let status = PlainArguments.run(CommandLine.arguments.dropFirst()) {
      if status != 0 { ProcessImage.end(status) }
      return
    }
    main(nil)
  }
}
