import Linux

/// What each lockdown mode makes of each kind of program: loaded and attached by the command, from an image.
enum ProgramCases {
  /// What is to become of a program.
  private enum Answer: String {
    case attached
    /// The kernel refuses the attachment with this errno.
    case operationNotPermitted = "EPERM"
    /// Load or attachment are refused, and we say that it is for the lockdown mode.
    case lockdown = "load.lockdown"

    /// The command's exit code.
    var status: Int {
      switch self {
      case .attached: 0
      case .operationNotPermitted, .lockdown: 5
      }
    }
  }

  /// Object, under integrity (which Secure Boot brings too), under confidentiality.
  private static let table: [(object: String, integrity: Answer, confidentiality: Answer)] = [
    ("fentry", .attached, .attached),
    ("fexit", .attached, .attached),
    ("lsm", .attached, .attached),
    ("raw_tracepoint", .attached, .attached),
    ("btf_tracepoint", .attached, .attached),
    ("kprobe_multi", .attached, .attached),
    ("reads_user", .attached, .attached),
    // Under confidentiality perf_event_open(2) takes no probes, and tracefs shows no files.
    ("kprobe", .attached, .operationNotPermitted),
    ("tracepoint", .attached, .lockdown),
    // Helpers that the mode forbids.
    ("reads_kernel", .attached, .lockdown),
    ("writes_user", .lockdown, .lockdown),
  ]

  static let suite = Suite(
    name: "programs",
    cases: table.map { entry in
      Case(entry.object) {
        if entry.object == "kprobe_multi" { try Machine.requireProbesOfManyFunctions() }
        let wanted = Machine.boot == .confidentiality ? entry.confidentiality : entry.integrity
        let directory = try Machine.temporaryDirectory()
        let rootHash = try Machine.text("/images/programs.roothash").trimmed
        try Machine.write(
          "\(directory)/p.pol",
          Array(
            """
            policy_name=programs policy_version=1.0.0
            DEFAULT action=DENY
            op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW

            """.utf8))
        let result = try Command.run(
          "load", "--image", "/images/programs.raw", "--object", "\(entry.object).bpf.o", "--attach", "--policy",
          "\(directory)/p.pol", "--audit-dir", directory)
        try Command.expectStatus(wanted.status, result)
        if wanted != .attached {
          try expect(result.text.contains(wanted.rawValue), "not \(wanted.rawValue): \(result.text)")
        }
      }
    })
}
