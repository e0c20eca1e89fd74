extension VerityBPF {
  /// All commands. What each takes is declared beside what it does.
  static let root = Verb(
    "verity-bpf", "Decide which eBPF programs may enter the kernel, by proof of where their bytes come from.",
    [
      Verb("build-image", BuildImageCommand.self),
      Verb("verify", VerifyCommand.self),
      Verb(
        "sign", "Sign a BPF object, or an image's root hash.",
        [Verb("file", SignFileCommand.self), Verb("root-hash", SignRootHashCommand.self)]),
      Verb("inspect", InspectCommand.self),
      Verb("mount", MountCommand.self),
      Verb("umount", UmountCommand.self),
      Verb("provenance", ProvenanceCommand.self),
      Verb("load", LoadCommand.self),
      Verb("unload", UnloadCommand.self),
      Verb("ps", PsCommand.self),
      Verb(
        "policy", "Check, format, explain, test, compare, write and install policies.",
        [
          Verb("check", PolicyCheckCommand.self),
          Verb("fmt", PolicyFmtCommand.self),
          Verb("explain", PolicyExplainCommand.self),
          Verb("test", PolicyTestCommand.self),
          Verb("diff", PolicyDiffCommand.self),
          Verb("replay", PolicyReplayCommand.self),
          Verb("suggest", PolicySuggestCommand.self),
          Verb("generate", PolicyGenerateCommand.self),
          Verb("convert", PolicyConvertCommand.self),
          Verb("sign", PolicySignCommand.self),
          Verb("init", PolicyInitCommand.self),
          Verb("install", PolicyInstallCommand.self),
          Verb("activate", PolicyActivateCommand.self),
          Verb("list", PolicyListCommand.self),
          Verb("trust", PolicyTrustCommand.self),
          Verb("sign-trust", PolicySignTrustCommand.self),
          Verb("remove", PolicyRemoveCommand.self),
        ]),
      Verb(
        "revoked", "Write, sign and install lists of what counts no more, whatever vouches for it.",
        [
          Verb("make", RevokedMakeCommand.self),
          Verb("check", RevokedCheckCommand.self),
          Verb("sign", RevokedSignCommand.self),
          Verb("install", RevokedInstallCommand.self),
          Verb("list", RevokedListCommand.self),
        ]),
      Verb(
        "gate", "Have the kernel itself refuse what no policy admits.",
        [
          Verb("plan", GatePlanCommand.self),
          Verb("install", GateInstallCommand.self),
          Verb("watch", GateWatchCommand.self),
          Verb("seal", GateSealCommand.self),
          Verb("status", GateStatusCommand.self),
          Verb("events", GateEventsCommand.self),
        ]),
      Verb(
        "binfmt", "Have BPF objects executed by their names: ./agent.bpf.o.",
        [
          Verb("enable", BinfmtEnableCommand.self),
          Verb("disable", BinfmtDisableCommand.self),
          Verb("status", BinfmtStatusCommand.self),
        ]),
      Verb("config", "Settings of this host.", [Verb("show", ConfigShowCommand.self)]),
      Verb("doctor", DoctorCommand.self),
      Verb("self-test", SelfTestCommand.self),
      Verb("explain-error", ExplainErrorCommand.self),
    ])
}
