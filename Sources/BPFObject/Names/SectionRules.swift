internal import KernelABI

/// What one section name, or one prefix of section names, says about the programs in it.
struct SectionRule: Sendable {
  struct Options: OptionSet, Sendable {
    let rawValue: UInt8
    /// BPF_F_SLEEPABLE.
    static let sleepable = Options(rawValue: 1)
    /// The program needs `attach_btf_id`.
    static let attachesByBTF = Options(rawValue: 2)
    /// BPF_F_XDP_HAS_FRAGS.
    static let fragments = Options(rawValue: 4)
  }

  let prefix: String
  let type: ProgramType
  let attachType: AttachType
  /// Whether `/` and a target may follow the prefix.
  let isNamed: Bool
  let options: Options

  private init(
    _ prefix: String, _ type: ProgramType, _ attachType: AttachType, named: Bool = false, _ options: Options = []
  ) {
    self.prefix = prefix
    self.type = type
    self.attachType = attachType
    isNamed = named
    self.options = options
  }

  /// Where each prefix stands in ``all``; of two that are equal the first counts.
  static let indexes: [String: Int] = Dictionary(
    zip(all.map(\.prefix), all.indices), uniquingKeysWith: { first, _ in first })

  /// libbpf's table (Documentation/bpf/libbpf/program_types.rst lists it): program type, then
  /// expected attach type.
  static let all: [SectionRule] = [
    SectionRule("socket", .socketFilter, .unspecified),
    SectionRule("sk_reuseport/migrate", .skReuseport, .skReuseportSelectOrMigrate),
    SectionRule("sk_reuseport", .skReuseport, .skReuseportSelect),
    SectionRule("kprobe", .kprobe, .unspecified, named: true),
    SectionRule("uprobe", .kprobe, .unspecified, named: true),
    SectionRule("uprobe.s", .kprobe, .unspecified, named: true, [.sleepable]),
    SectionRule("kretprobe", .kprobe, .unspecified, named: true),
    SectionRule("uretprobe", .kprobe, .unspecified, named: true),
    SectionRule("uretprobe.s", .kprobe, .unspecified, named: true, [.sleepable]),
    SectionRule("kprobe.multi", .kprobe, .traceKprobeMulti, named: true),
    SectionRule("kretprobe.multi", .kprobe, .traceKprobeMulti, named: true),
    SectionRule("kprobe.session", .kprobe, .traceKprobeSession, named: true),
    SectionRule("uprobe.multi", .kprobe, .traceUprobeMulti, named: true),
    SectionRule("uretprobe.multi", .kprobe, .traceUprobeMulti, named: true),
    SectionRule("uprobe.session", .kprobe, .traceUprobeSession, named: true),
    SectionRule("uprobe.multi.s", .kprobe, .traceUprobeMulti, named: true, [.sleepable]),
    SectionRule("uretprobe.multi.s", .kprobe, .traceUprobeMulti, named: true, [.sleepable]),
    SectionRule("uprobe.session.s", .kprobe, .traceUprobeSession, named: true, [.sleepable]),
    SectionRule("ksyscall", .kprobe, .unspecified, named: true),
    SectionRule("kretsyscall", .kprobe, .unspecified, named: true),
    SectionRule("usdt", .kprobe, .unspecified, named: true),
    SectionRule("usdt.s", .kprobe, .unspecified, named: true, [.sleepable]),
    SectionRule("tc/ingress", .schedCls, .tcxIngress),
    SectionRule("tc/egress", .schedCls, .tcxEgress),
    SectionRule("tcx/ingress", .schedCls, .tcxIngress),
    SectionRule("tcx/egress", .schedCls, .tcxEgress),
    SectionRule("tc", .schedCls, .unspecified),
    SectionRule("classifier", .schedCls, .unspecified),
    SectionRule("action", .schedAct, .unspecified),
    SectionRule("netkit/primary", .schedCls, .netkitPrimary),
    SectionRule("netkit/peer", .schedCls, .netkitPeer),
    SectionRule("tracepoint", .tracepoint, .unspecified, named: true),
    SectionRule("tp", .tracepoint, .unspecified, named: true),
    SectionRule("tracepoint.s", .tracepoint, .unspecified, named: true, [.sleepable]),
    SectionRule("tp.s", .tracepoint, .unspecified, named: true, [.sleepable]),
    SectionRule("raw_tracepoint", .rawTracepoint, .unspecified, named: true),
    SectionRule("raw_tp", .rawTracepoint, .unspecified, named: true),
    SectionRule("raw_tracepoint.s", .rawTracepoint, .unspecified, named: true, [.sleepable]),
    SectionRule("raw_tp.s", .rawTracepoint, .unspecified, named: true, [.sleepable]),
    SectionRule("raw_tracepoint.w", .rawTracepointWritable, .unspecified, named: true),
    SectionRule("raw_tp.w", .rawTracepointWritable, .unspecified, named: true),
    SectionRule("tp_btf", .tracing, .traceRawTp, named: true, [.attachesByBTF]),
    SectionRule("tp_btf.s", .tracing, .traceRawTp, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fentry", .tracing, .traceFentry, named: true, [.attachesByBTF]),
    SectionRule("fmod_ret", .tracing, .modifyReturn, named: true, [.attachesByBTF]),
    SectionRule("fexit", .tracing, .traceFexit, named: true, [.attachesByBTF]),
    SectionRule("fentry.s", .tracing, .traceFentry, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fmod_ret.s", .tracing, .modifyReturn, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fexit.s", .tracing, .traceFexit, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fsession", .tracing, .traceFsession, named: true, [.attachesByBTF]),
    SectionRule("fsession.s", .tracing, .traceFsession, named: true, [.attachesByBTF, .sleepable]),
    // What they are attached to is chosen by a link, so that they are loaded without a BTF id.
    SectionRule("fentry.multi", .tracing, .traceFentryMulti, named: true),
    SectionRule("fexit.multi", .tracing, .traceFexitMulti, named: true),
    SectionRule("fsession.multi", .tracing, .traceFsessionMulti, named: true),
    SectionRule("fentry.multi.s", .tracing, .traceFentryMulti, named: true, [.sleepable]),
    SectionRule("fexit.multi.s", .tracing, .traceFexitMulti, named: true, [.sleepable]),
    SectionRule("fsession.multi.s", .tracing, .traceFsessionMulti, named: true, [.sleepable]),
    SectionRule("freplace", .ext, .unspecified, named: true, [.attachesByBTF]),
    SectionRule("lsm", .lsm, .lsmMac, named: true, [.attachesByBTF]),
    SectionRule("lsm.s", .lsm, .lsmMac, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("lsm_cgroup", .lsm, .lsmCgroup, named: true, [.attachesByBTF]),
    SectionRule("iter", .tracing, .traceIter, named: true, [.attachesByBTF]),
    SectionRule("iter.s", .tracing, .traceIter, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("syscall", .syscall, .unspecified, [.sleepable]),
    SectionRule("xdp.frags/devmap", .xdp, .xdpDevmap, [.fragments]),
    SectionRule("xdp/devmap", .xdp, .xdpDevmap),
    SectionRule("xdp.frags/cpumap", .xdp, .xdpCpumap, [.fragments]),
    SectionRule("xdp/cpumap", .xdp, .xdpCpumap),
    SectionRule("xdp.frags", .xdp, .xdp, [.fragments]),
    SectionRule("xdp", .xdp, .xdp),
    SectionRule("perf_event", .perfEvent, .unspecified),
    SectionRule("lwt_in", .lwtIn, .unspecified),
    SectionRule("lwt_out", .lwtOut, .unspecified),
    SectionRule("lwt_xmit", .lwtXmit, .unspecified),
    SectionRule("lwt_seg6local", .lwtSeg6local, .unspecified),
    SectionRule("sockops", .sockOps, .cgroupSockOps),
    SectionRule("sk_skb/stream_parser", .skSkb, .skSkbStreamParser),
    SectionRule("sk_skb/stream_verdict", .skSkb, .skSkbStreamVerdict),
    SectionRule("sk_skb/verdict", .skSkb, .skSkbVerdict),
    SectionRule("sk_skb", .skSkb, .unspecified),
    SectionRule("sk_msg", .skMsg, .skMsgVerdict),
    SectionRule("lirc_mode2", .lircMode2, .lircMode2),
    SectionRule("flow_dissector", .flowDissector, .flowDissector),
    SectionRule("cgroup_skb/ingress", .cgroupSkb, .cgroupInetIngress),
    SectionRule("cgroup_skb/egress", .cgroupSkb, .cgroupInetEgress),
    SectionRule("cgroup/skb", .cgroupSkb, .cgroupInetIngress),
    SectionRule("cgroup/sock_create", .cgroupSock, .cgroupInetSockCreate),
    SectionRule("cgroup/sock_release", .cgroupSock, .cgroupInetSockRelease),
    SectionRule("cgroup/sock", .cgroupSock, .cgroupInetSockCreate),
    SectionRule("cgroup/post_bind4", .cgroupSock, .cgroupInet4PostBind),
    SectionRule("cgroup/post_bind6", .cgroupSock, .cgroupInet6PostBind),
    SectionRule("cgroup/bind4", .cgroupSockAddr, .cgroupInet4Bind),
    SectionRule("cgroup/bind6", .cgroupSockAddr, .cgroupInet6Bind),
    SectionRule("cgroup/connect4", .cgroupSockAddr, .cgroupInet4Connect),
    SectionRule("cgroup/connect6", .cgroupSockAddr, .cgroupInet6Connect),
    SectionRule("cgroup/connect_unix", .cgroupSockAddr, .cgroupUnixConnect),
    SectionRule("cgroup/sendmsg4", .cgroupSockAddr, .cgroupUdp4Sendmsg),
    SectionRule("cgroup/sendmsg6", .cgroupSockAddr, .cgroupUdp6Sendmsg),
    SectionRule("cgroup/sendmsg_unix", .cgroupSockAddr, .cgroupUnixSendmsg),
    SectionRule("cgroup/recvmsg4", .cgroupSockAddr, .cgroupUdp4Recvmsg),
    SectionRule("cgroup/recvmsg6", .cgroupSockAddr, .cgroupUdp6Recvmsg),
    SectionRule("cgroup/recvmsg_unix", .cgroupSockAddr, .cgroupUnixRecvmsg),
    SectionRule("cgroup/getpeername4", .cgroupSockAddr, .cgroupInet4Getpeername),
    SectionRule("cgroup/getpeername6", .cgroupSockAddr, .cgroupInet6Getpeername),
    SectionRule("cgroup/getpeername_unix", .cgroupSockAddr, .cgroupUnixGetpeername),
    SectionRule("cgroup/getsockname4", .cgroupSockAddr, .cgroupInet4Getsockname),
    SectionRule("cgroup/getsockname6", .cgroupSockAddr, .cgroupInet6Getsockname),
    SectionRule("cgroup/getsockname_unix", .cgroupSockAddr, .cgroupUnixGetsockname),
    SectionRule("cgroup/sysctl", .cgroupSysctl, .cgroupSysctl),
    SectionRule("cgroup/getsockopt", .cgroupSockopt, .cgroupGetsockopt),
    SectionRule("cgroup/setsockopt", .cgroupSockopt, .cgroupSetsockopt),
    SectionRule("cgroup/dev", .cgroupDevice, .cgroupDevice),
    SectionRule("struct_ops", .structOps, .unspecified, named: true),
    SectionRule("struct_ops.s", .structOps, .unspecified, named: true, [.sleepable]),
    SectionRule("sk_lookup", .skLookup, .skLookup),
    SectionRule("netfilter", .netfilter, .netfilter),
  ]
}
