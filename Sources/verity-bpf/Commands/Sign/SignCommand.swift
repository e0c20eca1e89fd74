import ArgumentParser

/// `verity-bpf sign`: explicit signatures. Policies are signed by `verity-bpf policy sign`.
struct SignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign a BPF object, or an image's root hash.",
    subcommands: [SignFileCommand.self, SignRootHashCommand.self])
}
