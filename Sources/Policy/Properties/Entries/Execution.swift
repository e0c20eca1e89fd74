/// What the kernel's own IPE says of the object, and whether it came by being executed.
extension PropertyEntry {
  static let kernelExecute = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.kernelExecute }, { $0.kernelExecute = $1 })), isAboutVolume: true,
    absence: .unknown, producer: .integrityPolicy,
    loaderOption: { _ in "CONFIG_SECURITY_IPE" },
    reference: {
      PropertyReference(
        "Whether the kernel's IPE would let the object be executed, asked about the descriptor that was given.",
        details:
          "Nothing is executed: execveat(2) with AT_EXECVE_CHECK asks. It is known only on Linux 7.2 and later, where IPE enforces a policy that denies `op=EXECUTE` by default, for an object that was given as a descriptor, that all users may execute (`build-image --executable`), on a mount that allows it (`mount --exec`). Older kernels answer without asking IPE, so nothing is known there. FALSE is the kernel's refusal, which may be another security module's. IPE goes by its own policy and believes the page cache, which root can poison (`threat-model.md`): beside `x_witness=USERSPACE` it is a second judge, and alone no more than its word.",
        .init(
          "dmverity_roothash=\(exampleDigest) x_kernel_execute=TRUE",
          cases: [
            .allowed("IPE allows it", "dmverity_roothash=\(exampleDigest) x_kernel_execute=TRUE"),
            .denied("IPE denies it", "dmverity_roothash=\(exampleDigest) x_kernel_execute=FALSE"),
            .denied("IPE was not asked", "dmverity_roothash=\(exampleDigest)"),
          ]))
    })

  static let executed = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.executed }, { $0.executed = $1 })), absence: .impossible, producer: .handOver,
    reference: {
      PropertyReference(
        "Whether the object was executed (`./agent.bpf.o`), so that the kernel itself opened it and handed it over.",
        details:
          "TRUE is known only where the kernel's own word for it is there: the descriptor in AT_EXECFD that binfmt_misc gives the interpreter (`executables.md`); `load`, by whatever option, is FALSE. TRUE means that the kernel took this very open file for execution: its mode and its mount allow it, and every security module that judges executions was asked before this program started, IPE's `op=EXECUTE` rules among them. It does not mean that IPE is there, that it enforces a policy, or that the policy denies what it has no rule for, and it says nothing of the bytes: IPE believes the page cache. Ask for the volume too.",
        .init(
          "dmverity_roothash=\(exampleDigest) x_executed=TRUE",
          cases: [
            .allowed("it was executed", "dmverity_roothash=\(exampleDigest) x_executed=TRUE"),
            .denied("`load` was asked for it", "dmverity_roothash=\(exampleDigest) x_executed=FALSE"),
          ]))
    })
}
