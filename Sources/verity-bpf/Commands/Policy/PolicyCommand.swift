import ArgumentParser
import Policy

/// `verity-bpf policy`: the workbench. None of it needs a privilege or a special kernel.
struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check, format, explain, test, compare, write and install policies.",
    subcommands: [
      PolicyCheckCommand.self, PolicyFmtCommand.self, PolicyExplainCommand.self, PolicyTestCommand.self,
      PolicyDiffCommand.self, PolicyReplayCommand.self, PolicyGenerateCommand.self, PolicyConvertCommand.self,
      PolicySignCommand.self, PolicyInitCommand.self, PolicyInstallCommand.self, PolicyActivateCommand.self,
      PolicyListCommand.self, PolicyRemoveCommand.self,
    ])
}

/// The dialects by their names on the command line.
enum DialectName: String, ExpressibleByArgument, CaseIterable {
  case kernel
  case verityBPF = "verity-bpf"

  var dialect: Dialect {
    switch self {
    case .kernel: .kernel
    case .verityBPF: .verityBPF
    }
  }
}

/// The option that most verbs share.
struct DialectOption: ParsableArguments {
  @Option(
    name: .customLong("dialect"),
    help: "The language of the policy: verity-bpf, or kernel for what the IPE parser of Linux 6.12 takes.")
  var name: DialectName = .verityBPF

  var dialect: Dialect { name.dialect }
}
