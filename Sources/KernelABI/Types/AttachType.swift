/// Where a program is attached, for the program types that have several such places: `enum bpf_attach_type`
/// (include/uapi/linux/bpf.h). 0 is also what programs give whose type has no attach types.
public enum AttachType: UInt32, KernelConstant {
  case cgroupInetIngress = 0
  case cgroupInetEgress = 1
  case cgroupInetSockCreate = 2
  case cgroupSockOps = 3
  case skSkbStreamParser = 4
  case skSkbStreamVerdict = 5
  case cgroupDevice = 6
  case skMsgVerdict = 7
  case cgroupInet4Bind = 8
  case cgroupInet6Bind = 9
  case cgroupInet4Connect = 10
  case cgroupInet6Connect = 11
  case cgroupInet4PostBind = 12
  case cgroupInet6PostBind = 13
  case cgroupUdp4Sendmsg = 14
  case cgroupUdp6Sendmsg = 15
  case lircMode2 = 16
  case flowDissector = 17
  case cgroupSysctl = 18
  case cgroupUdp4Recvmsg = 19
  case cgroupUdp6Recvmsg = 20
  case cgroupGetsockopt = 21
  case cgroupSetsockopt = 22
  case traceRawTp = 23
  case traceFentry = 24
  case traceFexit = 25
  case modifyReturn = 26
  case lsmMac = 27
  case traceIter = 28
  case cgroupInet4Getpeername = 29
  case cgroupInet6Getpeername = 30
  case cgroupInet4Getsockname = 31
  case cgroupInet6Getsockname = 32
  case xdpDevmap = 33
  case cgroupInetSockRelease = 34
  case xdpCpumap = 35
  case skLookup = 36
  case xdp = 37
  case skSkbVerdict = 38
  case skReuseportSelect = 39
  case skReuseportSelectOrMigrate = 40
  case perfEvent = 41
  case traceKprobeMulti = 42
  case lsmCgroup = 43
  case structOps = 44
  case netfilter = 45
  case tcxIngress = 46
  case tcxEgress = 47
  case traceUprobeMulti = 48
  case cgroupUnixConnect = 49
  case cgroupUnixSendmsg = 50
  case cgroupUnixRecvmsg = 51
  case cgroupUnixGetpeername = 52
  case cgroupUnixGetsockname = 53
  case netkitPrimary = 54
  case netkitPeer = 55
  case traceKprobeSession = 56
  case traceUprobeSession = 57
  case traceFsession = 58
  case traceFentryMulti = 59
  case traceFexitMulti = 60
  case traceFsessionMulti = 61

  public static let prefix = "BPF_"

  /// The number that programs give whose type has no attach types, or whose attach type does not matter before they are
  /// attached: it is that of ``cgroupInetIngress`` too.
  public static let unspecified = AttachType.cgroupInetIngress

  public var entry: KernelEntry {
    switch self {
    case .cgroupInetIngress: KernelEntry("cgroup_inet_ingress", 4, 10)
    case .cgroupInetEgress: KernelEntry("cgroup_inet_egress", 4, 10)
    case .cgroupInetSockCreate: KernelEntry("cgroup_inet_sock_create", 4, 10)
    case .cgroupSockOps: KernelEntry("cgroup_sock_ops", 4, 13)
    case .skSkbStreamParser: KernelEntry("sk_skb_stream_parser", 4, 14)
    case .skSkbStreamVerdict: KernelEntry("sk_skb_stream_verdict", 4, 14)
    case .cgroupDevice: KernelEntry("cgroup_device", 4, 15)
    case .skMsgVerdict: KernelEntry("sk_msg_verdict", 4, 17)
    case .cgroupInet4Bind: KernelEntry("cgroup_inet4_bind", 4, 17)
    case .cgroupInet6Bind: KernelEntry("cgroup_inet6_bind", 4, 17)
    case .cgroupInet4Connect: KernelEntry("cgroup_inet4_connect", 4, 17)
    case .cgroupInet6Connect: KernelEntry("cgroup_inet6_connect", 4, 17)
    case .cgroupInet4PostBind: KernelEntry("cgroup_inet4_post_bind", 4, 17)
    case .cgroupInet6PostBind: KernelEntry("cgroup_inet6_post_bind", 4, 17)
    case .cgroupUdp4Sendmsg: KernelEntry("cgroup_udp4_sendmsg", 4, 18)
    case .cgroupUdp6Sendmsg: KernelEntry("cgroup_udp6_sendmsg", 4, 18)
    case .lircMode2: KernelEntry("lirc_mode2", 4, 18)
    case .flowDissector: KernelEntry("flow_dissector", 4, 20)
    case .cgroupSysctl: KernelEntry("cgroup_sysctl", 5, 2)
    case .cgroupUdp4Recvmsg: KernelEntry("cgroup_udp4_recvmsg", 5, 2)
    case .cgroupUdp6Recvmsg: KernelEntry("cgroup_udp6_recvmsg", 5, 2)
    case .cgroupGetsockopt: KernelEntry("cgroup_getsockopt", 5, 3)
    case .cgroupSetsockopt: KernelEntry("cgroup_setsockopt", 5, 3)
    case .traceRawTp: KernelEntry("trace_raw_tp", 5, 5)
    case .traceFentry: KernelEntry("trace_fentry", 5, 5)
    case .traceFexit: KernelEntry("trace_fexit", 5, 5)
    case .modifyReturn: KernelEntry("modify_return", 5, 7)
    case .lsmMac: KernelEntry("lsm_mac", 5, 7)
    case .traceIter: KernelEntry("trace_iter", 5, 8)
    case .cgroupInet4Getpeername: KernelEntry("cgroup_inet4_getpeername", 5, 8)
    case .cgroupInet6Getpeername: KernelEntry("cgroup_inet6_getpeername", 5, 8)
    case .cgroupInet4Getsockname: KernelEntry("cgroup_inet4_getsockname", 5, 8)
    case .cgroupInet6Getsockname: KernelEntry("cgroup_inet6_getsockname", 5, 8)
    case .xdpDevmap: KernelEntry("xdp_devmap", 5, 8)
    case .cgroupInetSockRelease: KernelEntry("cgroup_inet_sock_release", 5, 9)
    case .xdpCpumap: KernelEntry("xdp_cpumap", 5, 9)
    case .skLookup: KernelEntry("sk_lookup", 5, 9)
    case .xdp: KernelEntry("xdp", 5, 9)
    case .skSkbVerdict: KernelEntry("sk_skb_verdict", 5, 13)
    case .skReuseportSelect: KernelEntry("sk_reuseport_select", 5, 14)
    case .skReuseportSelectOrMigrate: KernelEntry("sk_reuseport_select_or_migrate", 5, 14)
    case .perfEvent: KernelEntry("perf_event", 5, 15)
    case .traceKprobeMulti: KernelEntry("trace_kprobe_multi", 5, 18)
    case .lsmCgroup: KernelEntry("lsm_cgroup", 6, 0)
    case .structOps: KernelEntry("struct_ops", 6, 4)
    case .netfilter: KernelEntry("netfilter", 6, 4)
    case .tcxIngress: KernelEntry("tcx_ingress", 6, 6)
    case .tcxEgress: KernelEntry("tcx_egress", 6, 6)
    case .traceUprobeMulti: KernelEntry("trace_uprobe_multi", 6, 6)
    case .cgroupUnixConnect: KernelEntry("cgroup_unix_connect", 6, 7)
    case .cgroupUnixSendmsg: KernelEntry("cgroup_unix_sendmsg", 6, 7)
    case .cgroupUnixRecvmsg: KernelEntry("cgroup_unix_recvmsg", 6, 7)
    case .cgroupUnixGetpeername: KernelEntry("cgroup_unix_getpeername", 6, 7)
    case .cgroupUnixGetsockname: KernelEntry("cgroup_unix_getsockname", 6, 7)
    case .netkitPrimary: KernelEntry("netkit_primary", 6, 7)
    case .netkitPeer: KernelEntry("netkit_peer", 6, 7)
    case .traceKprobeSession: KernelEntry("trace_kprobe_session", 6, 10)
    case .traceUprobeSession: KernelEntry("trace_uprobe_session", 6, 13)
    case .traceFsession: KernelEntry("trace_fsession", 7, 0)
    case .traceFentryMulti: KernelEntry("trace_fentry_multi", 7, 2)
    case .traceFexitMulti: KernelEntry("trace_fexit_multi", 7, 2)
    case .traceFsessionMulti: KernelEntry("trace_fsession_multi", 7, 2)
    }
  }
}
