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

extension MapType {
  /// What making a map of the type asks for besides CAP_BPF (kernel/bpf/syscall.c, map_create).
  public var capabilities: Set<Capability> {
    switch self {
    case .sockmap, .sockhash, .devmap, .devmapHash, .xskmap: [.netAdmin]
    case .unspec, .hash, .array, .progArray, .perfEventArray, .percpuHash, .percpuArray, .stackTrace, .cgroupArray,
      .lruHash, .lruPercpuHash, .lpmTrie, .arrayOfMaps, .hashOfMaps, .cpumap, .cgroupStorage, .reuseportSockarray,
      .percpuCgroupStorage, .queue, .stack, .skStorage, .structOps, .ringbuf, .inodeStorage, .taskStorage, .bloomFilter,
      .userRingbuf, .cgrpStorage, .arena, .insnArray, .rhash:
      []
    }
  }
}

extension KernelFunctions {
  /// What calling one of them asks for: those that may end the machine are marked destructive (KF_DESTRUCTIVE;
  /// kernel/bpf/verifier.c, check_kfunc_call).
  public static func capabilities(_ name: String) -> Set<Capability> { name == "crash_kexec" ? [.sysBoot] : [] }
}

extension Capability {
  /// Those that bpf(2) asks for, in the order of their numbers.
  public static let ofBPF: [Capability] = [.netAdmin, .sysAdmin, .perfmon, .bpf]
}
