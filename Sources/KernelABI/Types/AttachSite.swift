/// What programs of an attach type are attached to, and so what has to be named for it.
public enum AttachSite: Sendable, Hashable, CaseIterable {
  /// A cgroup, with all below it.
  case cgroup
  /// One function, tracepoint or hook of the kernel, which is fixed when the program is loaded (`attach_btf_id`).
  case kernelTarget
  /// Functions of the kernel, chosen by a link when the program is attached.
  case kernelTargets
  /// An iterator over the kernel's objects; fixed like ``kernelTarget``.
  case iterator
  /// Probes in functions of the kernel.
  case kernelProbes
  /// Probes in functions of an executable or library.
  case userProbes
  /// A network interface.
  case interface
  /// An entry of a map, which runs the program (DEVMAP, CPUMAP).
  case mapEntry
  /// The sockets in a map.
  case sockets
  /// A group of sockets that share a port (`SO_ATTACH_REUSEPORT_EBPF`).
  case socketGroup
  /// A network namespace.
  case networkNamespace
  /// A hook of netfilter in a network namespace.
  case netfilterHook
  /// A structure of functions that the kernel calls.
  case structure
  /// A performance event.
  case event
  /// An infrared receiver.
  case infrared
}

extension AttachType {
  /// What programs of this attach type are attached to.
  public var site: AttachSite {
    switch self {
    case .cgroupInetIngress, .cgroupInetEgress, .cgroupInetSockCreate, .cgroupInetSockRelease, .cgroupSockOps,
      .cgroupDevice, .cgroupInet4Bind, .cgroupInet6Bind, .cgroupInet4Connect, .cgroupInet6Connect,
      .cgroupInet4PostBind, .cgroupInet6PostBind, .cgroupUdp4Sendmsg, .cgroupUdp6Sendmsg, .cgroupUdp4Recvmsg,
      .cgroupUdp6Recvmsg, .cgroupInet4Getpeername, .cgroupInet6Getpeername, .cgroupInet4Getsockname,
      .cgroupInet6Getsockname, .cgroupUnixConnect, .cgroupUnixSendmsg, .cgroupUnixRecvmsg, .cgroupUnixGetpeername,
      .cgroupUnixGetsockname, .cgroupSysctl, .cgroupGetsockopt, .cgroupSetsockopt, .lsmCgroup:
      .cgroup
    case .traceRawTp, .traceFentry, .traceFexit, .traceFsession, .modifyReturn, .lsmMac: .kernelTarget
    case .traceFentryMulti, .traceFexitMulti, .traceFsessionMulti: .kernelTargets
    case .traceIter: .iterator
    case .traceKprobeMulti, .traceKprobeSession: .kernelProbes
    case .traceUprobeMulti, .traceUprobeSession: .userProbes
    case .xdp, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer: .interface
    case .xdpDevmap, .xdpCpumap: .mapEntry
    case .skSkbStreamParser, .skSkbStreamVerdict, .skSkbVerdict, .skMsgVerdict: .sockets
    case .skReuseportSelect, .skReuseportSelectOrMigrate: .socketGroup
    case .flowDissector, .skLookup: .networkNamespace
    case .netfilter: .netfilterHook
    case .structOps: .structure
    case .perfEvent: .event
    case .lircMode2: .infrared
    }
  }

  /// The type of programs that it is for (`attach_type_to_prog_type` in kernel/bpf/syscall.c). Those of other types can
  /// only leave it unspecified.
  public var programType: ProgramType {
    switch self {
    case .cgroupInetIngress, .cgroupInetEgress: .cgroupSkb
    case .cgroupInetSockCreate, .cgroupInetSockRelease, .cgroupInet4PostBind, .cgroupInet6PostBind: .cgroupSock
    case .cgroupInet4Bind, .cgroupInet6Bind, .cgroupInet4Connect, .cgroupInet6Connect, .cgroupUdp4Sendmsg,
      .cgroupUdp6Sendmsg, .cgroupUdp4Recvmsg, .cgroupUdp6Recvmsg, .cgroupInet4Getpeername, .cgroupInet6Getpeername,
      .cgroupInet4Getsockname, .cgroupInet6Getsockname, .cgroupUnixConnect, .cgroupUnixSendmsg, .cgroupUnixRecvmsg,
      .cgroupUnixGetpeername, .cgroupUnixGetsockname:
      .cgroupSockAddr
    case .cgroupSockOps: .sockOps
    case .cgroupDevice: .cgroupDevice
    case .cgroupSysctl: .cgroupSysctl
    case .cgroupGetsockopt, .cgroupSetsockopt: .cgroupSockopt
    case .traceRawTp, .traceFentry, .traceFexit, .traceFsession, .modifyReturn, .traceIter, .traceFentryMulti,
      .traceFexitMulti, .traceFsessionMulti:
      .tracing
    case .lsmMac, .lsmCgroup: .lsm
    case .traceKprobeMulti, .traceKprobeSession, .traceUprobeMulti, .traceUprobeSession: .kprobe
    case .xdp, .xdpDevmap, .xdpCpumap: .xdp
    case .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer: .schedCls
    case .skSkbStreamParser, .skSkbStreamVerdict, .skSkbVerdict: .skSkb
    case .skMsgVerdict: .skMsg
    case .skReuseportSelect, .skReuseportSelectOrMigrate: .skReuseport
    case .flowDissector: .flowDissector
    case .skLookup: .skLookup
    case .netfilter: .netfilter
    case .structOps: .structOps
    case .perfEvent: .perfEvent
    case .lircMode2: .lircMode2
    }
  }

  /// The kernel's BTF knows what such a program is attached to by a name that begins with this, as a typedef or a
  /// function (`btf_get_kernel_prefix_kind` in libbpf).
  public var targetNaming: (prefix: String, kind: BTFKind) {
    switch self {
    case .traceRawTp: ("btf_trace_", .typedef)
    case .lsmMac, .lsmCgroup: ("bpf_lsm_", .function)
    case .traceIter: ("bpf_iter_", .function)
    case .cgroupInetIngress, .cgroupInetEgress, .cgroupInetSockCreate, .cgroupInetSockRelease, .cgroupSockOps,
      .cgroupDevice, .cgroupInet4Bind, .cgroupInet6Bind, .cgroupInet4Connect, .cgroupInet6Connect,
      .cgroupInet4PostBind, .cgroupInet6PostBind, .cgroupUdp4Sendmsg, .cgroupUdp6Sendmsg, .cgroupUdp4Recvmsg,
      .cgroupUdp6Recvmsg, .cgroupInet4Getpeername, .cgroupInet6Getpeername, .cgroupInet4Getsockname,
      .cgroupInet6Getsockname, .cgroupUnixConnect, .cgroupUnixSendmsg, .cgroupUnixRecvmsg, .cgroupUnixGetpeername,
      .cgroupUnixGetsockname, .cgroupSysctl, .cgroupGetsockopt, .cgroupSetsockopt, .traceFentry, .traceFexit,
      .traceFsession, .modifyReturn, .traceFentryMulti, .traceFexitMulti, .traceFsessionMulti, .traceKprobeMulti,
      .traceKprobeSession, .traceUprobeMulti, .traceUprobeSession, .xdp, .tcxIngress, .tcxEgress, .netkitPrimary,
      .netkitPeer, .xdpDevmap, .xdpCpumap, .skSkbStreamParser, .skSkbStreamVerdict, .skSkbVerdict, .skMsgVerdict,
      .skReuseportSelect, .skReuseportSelectOrMigrate, .flowDissector, .skLookup, .netfilter, .structOps, .perfEvent,
      .lircMode2:
      ("", .function)
    }
  }
}
