/// How many instructions a program may have.
///
/// More are refused with E2BIG before the verifier begins (kernel/bpf/syscall.c, bpf_prog_load). The verifier answers with
/// the same number, and a log, when it has looked at a million instructions on all paths together.
public enum ProgramSize {
  /// Bytes of an instruction (struct bpf_insn, include/uapi/linux/bpf.h).
  public static let instructionBytes = 8
  /// BPF_COMPLEXITY_LIMIT_INSNS (include/linux/bpf.h, since 5.2), for a process with CAP_BPF.
  public static let limit = 1_000_000
  /// BPF_MAXINSNS (include/uapi/linux/bpf_common.h), for any other process.
  public static let unprivilegedLimit = 4096

  /// The limit for a process with these effective capabilities.
  ///
  /// - Parameter held: nil where they are not known, which counts as all.
  public static func limit(held: Set<Capability>?) -> Int {
    guard let held, held.isDisjoint(with: [.bpf, .sysAdmin]) else { return limit }
    return unprivilegedLimit
  }
}
