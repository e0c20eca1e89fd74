internal import KernelABI
internal import BPFObject
internal import Linux

/// Refusals that do not depend on the object's contents.
extension LoadSteps {
  /// ENOSYS and EPERM, explained; nil for other errors.
  func refusedEntry(_ error: SystemError, _ subject: String) -> BPFLoadError? {
    if error.code == .enosys { return .noBPF }
    return error.code == .eperm ? notPermitted(error, subject) : nil
  }

  /// A program that was refused without a word: the verifier always writes something, so it had not begun.
  func refusedBeforeVerifier(_ program: LinkedProgram, _ error: SystemError) -> BPFLoadError {
    let subject = "program `\(program.name)` of section `\(program.section)`"
    if let refusal = refusedEntry(error, subject) { return refusal }
    if error.code == .eacces { return notPermitted(error, subject) }
    if [.enomem, .emfile, .enfile, .eagain, .enospc].contains(error.code) { return .system(error) }
    // Every other number stands for what the kernel does not know, and E2BIG for more.
    guard error.code == .e2big else { return .notKnownToKernel(subject: subject, needs: nil, error: error) }
    let limit = ProgramSize.limit(held: KernelSettings.effectiveCapabilities())
    let count = program.instructions.count / ProgramSize.instructionBytes
    if count > limit { return .tooManyInstructions(subject: subject, count: count, limit: limit) }
    return .notKnownToKernel(subject: subject, needs: tooOldForRecords(program), error: error)
  }

  /// Where the program has CO-RE records and this kernel is too old for them: attributes that are longer than those it
  /// knows are E2BIG.
  private func tooOldForRecords(_ program: LinkedProgram) -> String? {
    let first = CoreRelocationKind.fieldByteOffset.since
    guard !program.coreRelocations.isEmpty, let running = KernelReports.runningRelease(), running < first else {
      return nil
    }
    return "CO-RE relocation by the kernel (Linux \(first); this is \(running))"
  }

  /// What is behind a refusal to load, as far as the process and the kernel let it be seen now.
  func notPermitted(_ error: SystemError, _ subject: String) -> BPFLoadError {
    let needed = RequiredPrivilege(kinds: programs.map(\.kind), found: options.capabilities)
    return notPermitted(error, "load \(subject)", needed.capabilities, isUnprivilegedKind: needed.isUnprivilegedKind)
  }

  /// The same for a refusal to attach.
  func attachRefused(_ program: LinkedProgram, place: String, _ error: SystemError) -> BPFLoadError {
    // perf_event_open(2) says EACCES where bpf(2) says EPERM.
    guard error.code == .eperm || error.code == .eacces && error.operation == "perf_event_open" else {
      return .attachRefused(program: program.name, section: program.section, place: place, error: error)
    }
    let needed = RequiredPrivilege(kinds: [program.kind])
    return notPermitted(error, "attach program `\(program.name)` to \(place)", needed.capabilities)
  }

  /// The same where lockdown has emptied the tracing file system, which says where tracepoints and functions are.
  func lockedDown(
    _ program: LinkedProgram, place: String, _ mode: LockdownMode, _ error: SystemError
  ) -> BPFLoadError {
    .notPermitted(
      Refusal.Permission(
        action: "attach program `\(program.name)` to \(place)", error: error, needed: [], cause: .lockdown(mode),
        found: [
          "\(KernelStatement.lockdown.place()) is \(mode.rawValue), under which the tracing file system shows no files"
        ]))
  }

  private func notPermitted(
    _ error: SystemError, _ action: String, _ needed: [Capability], isUnprivilegedKind: Bool = false
  ) -> BPFLoadError {
    let judgement = PermissionInquiry.observe().judge(needed: needed, isUnprivilegedKind: isUnprivilegedKind)
    return .notPermitted(
      Refusal.Permission(
        action: action, error: error, needed: needed, cause: judgement.cause, found: judgement.found))
  }
}
