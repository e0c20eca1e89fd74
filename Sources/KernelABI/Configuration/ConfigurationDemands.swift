// What has to be built into a kernel for it to know a type: include/linux/bpf_types.h and the Kconfig files of what is named.

extension ProgramType {
  /// The options without which a kernel does not know programs of the type.
  public var options: [String] {
    switch self {
    case .kprobe, .tracepoint, .perfEvent, .rawTracepoint, .rawTracepointWritable, .tracing: ["CONFIG_BPF_EVENTS"]
    case .socketFilter, .schedCls, .schedAct, .xdp, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local, .sockOps, .skSkb, .skMsg,
      .flowDissector:
      ["CONFIG_NET"]
    case .cgroupSkb, .cgroupSock, .cgroupSockAddr: ["CONFIG_NET", "CONFIG_CGROUP_BPF"]
    case .cgroupDevice, .cgroupSysctl, .cgroupSockopt: ["CONFIG_CGROUP_BPF"]
    case .lircMode2: ["CONFIG_BPF_LIRC_MODE2"]
    case .skReuseport, .skLookup: ["CONFIG_INET"]
    case .structOps, .ext: ["CONFIG_BPF_JIT"]
    case .lsm: ["CONFIG_BPF_LSM"]
    case .netfilter: ["CONFIG_NETFILTER_BPF_LINK"]
    case .unspec, .syscall: []
    }
  }
}

extension MapType {
  /// The options without which a kernel does not know maps of the type.
  public var options: [String] {
    switch self {
    case .cgroupArray, .cgrpStorage: ["CONFIG_CGROUPS"]
    case .cgroupStorage, .percpuCgroupStorage: ["CONFIG_CGROUP_BPF"]
    case .stackTrace: ["CONFIG_PERF_EVENTS"]
    case .devmap, .devmapHash, .skStorage, .sockmap, .sockhash, .cpumap: ["CONFIG_NET"]
    case .xskmap: ["CONFIG_XDP_SOCKETS"]
    case .reuseportSockarray: ["CONFIG_INET"]
    case .inodeStorage: ["CONFIG_BPF_LSM"]
    case .structOps: ["CONFIG_BPF_JIT"]
    case .unspec, .hash, .array, .progArray, .perfEventArray, .percpuHash, .percpuArray, .lruHash, .lruPercpuHash,
      .lpmTrie, .arrayOfMaps, .hashOfMaps, .queue, .stack, .ringbuf, .taskStorage, .bloomFilter, .userRingbuf, .arena,
      .insnArray, .rhash:
      []
    }
  }
}

extension AttachType {
  /// The options without which nothing is attached in this way, though the program may be loaded.
  public var options: [String] {
    switch self {
    case .traceKprobeMulti, .traceKprobeSession: ["CONFIG_FPROBE"]
    case .traceUprobeMulti, .traceUprobeSession: ["CONFIG_UPROBES"]
    case .tcxIngress, .tcxEgress: ["CONFIG_NET_XGRESS"]
    case .netkitPrimary, .netkitPeer: ["CONFIG_NETKIT"]
    case .cgroupInetIngress, .cgroupInetEgress, .cgroupInetSockCreate, .cgroupSockOps, .skSkbStreamParser,
      .skSkbStreamVerdict, .cgroupDevice, .skMsgVerdict, .cgroupInet4Bind, .cgroupInet6Bind, .cgroupInet4Connect,
      .cgroupInet6Connect, .cgroupInet4PostBind, .cgroupInet6PostBind, .cgroupUdp4Sendmsg, .cgroupUdp6Sendmsg,
      .lircMode2, .flowDissector, .cgroupSysctl, .cgroupUdp4Recvmsg, .cgroupUdp6Recvmsg, .cgroupGetsockopt,
      .cgroupSetsockopt, .traceRawTp, .traceFentry, .traceFexit, .modifyReturn, .lsmMac, .traceIter,
      .cgroupInet4Getpeername, .cgroupInet6Getpeername, .cgroupInet4Getsockname, .cgroupInet6Getsockname, .xdpDevmap,
      .cgroupInetSockRelease, .xdpCpumap, .skLookup, .xdp, .skSkbVerdict, .skReuseportSelect,
      .skReuseportSelectOrMigrate, .perfEvent, .lsmCgroup, .structOps, .netfilter, .cgroupUnixConnect,
      .cgroupUnixSendmsg, .cgroupUnixRecvmsg, .cgroupUnixGetpeername, .cgroupUnixGetsockname, .traceFsession,
      .traceFentryMulti, .traceFexitMulti, .traceFsessionMulti:
      []
    }
  }
}

extension Helper {
  /// The option without which programs may not call the helper.
  public var option: String? { self == .overrideReturn ? "CONFIG_BPF_KPROBE_OVERRIDE" : nil }
}

extension KernelConfiguration {
  /// The lockdown mode that the kernel takes by itself when it starts (security/lockdown/Kconfig).
  public var forcedLockdown: LockdownMode {
    if has("CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY") { return .confidentiality }
    return has("CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY") ? .integrity : .none
  }
}
