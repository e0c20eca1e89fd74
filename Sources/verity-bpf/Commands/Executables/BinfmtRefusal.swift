import Base
import HostReport
import KernelABI
import Linux

/// Why objects are not executed by this program.
enum BinfmtRefusal {
  /// Refuses a path that no registration can hold.
  static func requirePath(_ path: String) throws {
    guard let fault = BPFObjectFormat.fault(inPath: path) else { return }
    throw DiagnosedFailure(
      Diagnostic(
        "binfmt.interpreter", .unsupported, "`\(path)` cannot be the interpreter of a registration with binfmt_misc",
        expected: "an absolute path of at most \(BPFObjectFormat.pathLimit) bytes without a colon", found: fault,
        next: "install verity-bpf elsewhere"))
  }

  /// The executable has no name any more, or the kernel does not say it.
  static func noPath() -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "binfmt.interpreter", .unsupported, "it is not known where this program's own file is",
        expected: "a path in `\(KernelStatement.executable.place())`",
        found: "none, or that of a file that was removed",
        next: "run the verity-bpf that is installed"))
  }

  /// What keeps the registrations from being read.
  static func notMounted(_ error: SystemError) -> DiagnosedFailure {
    let place = KernelStatement.binaryFormats.place()
    return DiagnosedFailure(
      Diagnostic(
        "binfmt.not-mounted", .unsupported, "the kernel's registrations of interpreters could not be asked for",
        expected: "binfmt_misc, mounted on \(place)", found: error.found ?? error.description,
        next: "mount -t binfmt_misc binfmt_misc \(place); a kernel without it has none (CONFIG_BINFMT_MISC)"))
  }

  /// All interpreters are switched off, which is not this program's to change.
  static func allDisabled() -> DiagnosedFailure {
    let file = KernelStatement.binaryFormatsEnabled.place()
    return DiagnosedFailure(
      Diagnostic(
        "binfmt.disabled", .unsupported, "binfmt_misc is switched off as a whole", expected: "`enabled` in \(file)",
        found: "disabled", why: "every registration of this machine would come into force with it",
        next: "echo 1 > \(file)"))
  }

  /// Something else is registered under our name.
  static func taken(_ found: BinaryFormat?) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "binfmt.taken", .incomplete, "something else is registered with binfmt_misc as `\(BPFObjectFormat.name)`",
        expected: "this program as the interpreter of BPF objects, with the flags OF",
        found: found.map { "`\($0.interpreter)` with the flags \($0.letters.isEmpty ? "none" : $0.letters)" }
          ?? "what this build does not understand",
        next: "`verity-bpf binfmt disable` takes it away; then enable again"))
  }

  /// The kernel has taken the registration, and objects are executed otherwise all the same.
  static func withoutEffect(_ execution: ObjectExecution) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "binfmt.no-effect", .kernelRefused, "this program is registered, and executing an object does not start it",
        expected: "a registration that the kernel asks first", found: execution.standing.text(execution),
        next: "`verity-bpf binfmt status` says what is there"))
  }

  /// A set-uid object whose registration hands on its owner's rights.
  static func othersRights(_ path: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "binfmt.others-rights", .denied, "`\(path)` was executed with the rights of another user or group",
        expected: "the rights of the user who executes it", found: "a set-uid or set-gid file",
        why: "a user who may write such a file or choose its options would act as its owner",
        next: "register without the flag C (`verity-bpf binfmt enable` does), and take the bit off verity-bpf"))
  }
}

extension ObjectExecution.Standing {
  /// For people, as the end of a sentence about executing BPF objects.
  func text(_ execution: ObjectExecution) -> String {
    switch self {
    case .enabled: "BPF objects are executed by this program"
    case .absent: "nothing is registered as `\(BPFObjectFormat.name)`"
    case .disabled: "the registration is switched off"
    case .allDisabled: "binfmt_misc is switched off as a whole (\(KernelStatement.binaryFormatsEnabled.place()))"
    case .other: "what is registered as `\(BPFObjectFormat.name)` is not this program with the flags OF"
    case .second:
      "asked before it for the same files: " + execution.before.map { "`\($0)`" }.joined(separator: ", ")
    case .outdated: "the registration has the file that was here before this program was replaced (flag F)"
    }
  }
}
