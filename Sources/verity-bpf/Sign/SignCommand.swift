import ArgumentParser

/// `verity-bpf sign`: explicit signatures. Policies are signed by `verity-bpf policy sign`.
struct SignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign an image's root hash.", subcommands: [SignRootHashCommand.self])
}
