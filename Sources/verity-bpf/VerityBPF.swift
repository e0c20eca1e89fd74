import CommandRuns
import LinuxSys

/// The command. It does what runs at boot and in scripts, given in the plainest form, by itself; for everything else it
/// becomes the program of all commands, which links an argument parser and what that needs.
@main
enum VerityBPF {
  static func main() {
    StandardStream.fillGaps()
    let status = PlainArguments.run(CommandLine.arguments.dropFirst()) ?? AllCommands.run()
    if status != 0 { ProcessImage.end(status) }
  }
}
