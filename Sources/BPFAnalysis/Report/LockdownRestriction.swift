internal import BPFObject
public import KernelABI

/// One thing about a program that lockdown forbids.
///
/// The list of reasons: security/lockdown/lockdown.c; where they are checked: kernel/trace/bpf_trace.c and
/// kernel/bpf/helpers.c (helpers, when the program is loaded), kernel/trace/trace_kprobe.c and fs/tracefs (when it is
/// attached). Plain loads through BTF pointers, as fentry, tp_btf and LSM programs use them, are in no list: lockdown
/// does not see them.
public struct LockdownRestriction: Equatable, Sendable {
  /// The kernel's word for the reason, without `LOCKDOWN_`; one is our own.
  public enum Reason: String, Sendable, CaseIterable {
    case bpfWriteUser = "BPF_WRITE_USER"
    case bpfReadKernel = "BPF_READ_KERNEL"
    case kprobes = "KPROBES"
    case tracefs = "TRACEFS"
    /// Not the kernel's: a helper that this program's table does not have. Nobody can say what it does.
    case unknownHelper = "UNKNOWN_HELPER"
    /// Not the kernel's either: an instruction, a program flag or a tag that is not known here.
    case unknownConstruct = "UNKNOWN_CONSTRUCT"

    /// The least strict mode that forbids it.
    public var deniedFrom: LockdownMode {
      switch self {
      // What is not known may be the worst of all that lockdown forbids.
      case .bpfWriteUser, .unknownHelper, .unknownConstruct: .integrity
      case .bpfReadKernel, .kprobes, .tracefs: .confidentiality
      }
    }

    /// What the kernel writes to its log.
    public var text: String {
      switch self {
      case .bpfWriteUser: "use of bpf to write user RAM"
      case .bpfReadKernel: "use of bpf to read kernel RAM"
      case .kprobes: "use of kprobes"
      case .tracefs: "use of tracefs"
      case .unknownHelper: "a helper newer than any known here"
      case .unknownConstruct: "something newer than is known here"
      }
    }
  }

  /// When the kernel refuses.
  public enum Moment: String, Sendable {
    case load
    case attach
  }

  /// Why lockdown forbids it.
  public let reason: Reason
  /// When the kernel refuses.
  public let moment: Moment
  /// The helper that is the cause, with the calls that the verifier comes to; nil for what attaching needs.
  public let helper: HelperUse?

  /// The restrictions that come from what is not known here: one is enough.
  static func restrictions(of unfollowed: [UnfollowedConstruct]) -> [LockdownRestriction] {
    unfollowed.contains(where: \.isUnknown)
      ? [LockdownRestriction(reason: .unknownConstruct, moment: .load, helper: nil)] : []
  }

  /// Why lockdown forbids calling a helper that is known; nil when it does not.
  public static func reason(ofCalling helper: UInt32) -> Reason? {
    if Helper(called: helper) == .probeWriteUser { return .bpfWriteUser }
    return KnownHelper[helper]?.traits.contains(.copiesKernel) == true ? .bpfReadKernel : nil
  }

  /// The restrictions that come from calling helpers.
  ///
  /// A helper that the verifier never comes to is not refused; one that is not known here is, wherever it is called.
  static func restrictions(of helpers: [HelperUse], in program: Interpretation) -> [LockdownRestriction] {
    // Asked for only where it matters.
    guard helpers.contains(where: { reason(ofCalling: $0.id) != nil || $0.name == nil }) else { return [] }
    let live = program.liveCode()
    return helpers.compactMap { helper in
      if helper.name == nil { return LockdownRestriction(reason: .unknownHelper, moment: .load, helper: helper) }
      guard let reason = reason(ofCalling: helper.id) else { return nil }
      let calls = helper.instructions.filter { live?.contains($0) != false }
      guard !calls.isEmpty else { return nil }
      let called = HelperUse(id: helper.id, name: helper.name, instructions: calls)
      return LockdownRestriction(reason: reason, moment: .load, helper: called)
    }
  }

  /// The restrictions that come from the way a program is attached.
  static func restrictions(of kind: ProgramKind, section: String) -> [LockdownRestriction] {
    switch kind.type {
    case .kprobe:
      // Programs for user space and multi-probe links need no kprobe event.
      let single = ["kprobe", "kretprobe", "ksyscall", "kretsyscall"]
      guard single.contains(String(section.prefix { $0 != "/" })) else { return [] }
      return [LockdownRestriction(reason: .kprobes, moment: .attach, helper: nil)]
    case .tracepoint: return [LockdownRestriction(reason: .tracefs, moment: .attach, helper: nil)]
    case .unspec, .socketFilter, .schedCls, .schedAct, .xdp, .perfEvent, .cgroupSkb, .cgroupSock, .lwtIn, .lwtOut,
      .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr, .lwtSeg6local, .lircMode2,
      .skReuseport, .flowDissector, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt, .tracing, .structOps, .ext,
      .lsm, .skLookup, .syscall, .netfilter:
      return []
    }
  }
}
