extension ProgramType {
  /// What loading a program of the type asks for besides CAP_BPF (kernel/bpf/syscall.c, is_net_admin_prog_type and
  /// is_perfmon_prog_type). CAP_SYS_ADMIN stands in for each of them.
  public var capabilities: Set<Capability> {
    switch self {
    case .schedCls, .schedAct, .xdp, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local, .skSkb, .skMsg, .flowDissector,
      .cgroupDevice, .cgroupSock, .cgroupSockAddr, .cgroupSockopt, .cgroupSysctl, .sockOps, .netfilter:
      [.netAdmin]
    case .kprobe, .tracepoint, .perfEvent, .rawTracepoint, .rawTracepointWritable, .tracing, .lsm, .structOps:
      [.perfmon]
    // What is not known may be of any type.
    case .ext, .unspec: [.netAdmin, .perfmon]
    case .socketFilter, .cgroupSkb, .lircMode2, .skReuseport, .skLookup, .syscall: []
    }
  }

  /// Whether a program of the type needs no capability where kernel.unprivileged_bpf_disabled is 0.
  public var isUnprivileged: Bool { self == .socketFilter || self == .cgroupSkb }
}

extension Capability {
  /// Those that bpf(2) asks for, in the order of their numbers.
  public static let ofBPF: [Capability] = [.netAdmin, .sysAdmin, .perfmon, .bpf]
}
