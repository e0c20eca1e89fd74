/// What a program is to the kernel: `enum bpf_prog_type` (include/uapi/linux/bpf.h).
public enum ProgramType: UInt32, KernelConstant {
  case unspec = 0
  case socketFilter = 1
  case kprobe = 2
  case schedCls = 3
  case schedAct = 4
  case tracepoint = 5
  case xdp = 6
  case perfEvent = 7
  case cgroupSkb = 8
  case cgroupSock = 9
  case lwtIn = 10
  case lwtOut = 11
  case lwtXmit = 12
  case sockOps = 13
  case skSkb = 14
  case cgroupDevice = 15
  case skMsg = 16
  case rawTracepoint = 17
  case cgroupSockAddr = 18
  case lwtSeg6local = 19
  case lircMode2 = 20
  case skReuseport = 21
  case flowDissector = 22
  case cgroupSysctl = 23
  case rawTracepointWritable = 24
  case cgroupSockopt = 25
  case tracing = 26
  case structOps = 27
  case ext = 28
  case lsm = 29
  case skLookup = 30
  case syscall = 31
  case netfilter = 32

  public static let prefix = "BPF_PROG_TYPE_"

  public var entry: KernelEntry {
    switch self {
    case .unspec: KernelEntry("unspec", 3, 18)
    case .socketFilter: KernelEntry("socket_filter", 3, 19)
    case .kprobe: KernelEntry("kprobe", 4, 1)
    case .schedCls: KernelEntry("sched_cls", 4, 1)
    case .schedAct: KernelEntry("sched_act", 4, 1)
    case .tracepoint: KernelEntry("tracepoint", 4, 7)
    case .xdp: KernelEntry("xdp", 4, 8)
    case .perfEvent: KernelEntry("perf_event", 4, 9)
    case .cgroupSkb: KernelEntry("cgroup_skb", 4, 10)
    case .cgroupSock: KernelEntry("cgroup_sock", 4, 10)
    case .lwtIn: KernelEntry("lwt_in", 4, 10)
    case .lwtOut: KernelEntry("lwt_out", 4, 10)
    case .lwtXmit: KernelEntry("lwt_xmit", 4, 10)
    case .sockOps: KernelEntry("sock_ops", 4, 13)
    case .skSkb: KernelEntry("sk_skb", 4, 14)
    case .cgroupDevice: KernelEntry("cgroup_device", 4, 15)
    case .skMsg: KernelEntry("sk_msg", 4, 17)
    case .rawTracepoint: KernelEntry("raw_tracepoint", 4, 17)
    case .cgroupSockAddr: KernelEntry("cgroup_sock_addr", 4, 17)
    case .lwtSeg6local: KernelEntry("lwt_seg6local", 4, 18)
    case .lircMode2: KernelEntry("lirc_mode2", 4, 18)
    case .skReuseport: KernelEntry("sk_reuseport", 4, 19)
    case .flowDissector: KernelEntry("flow_dissector", 4, 20)
    case .cgroupSysctl: KernelEntry("cgroup_sysctl", 5, 2)
    case .rawTracepointWritable: KernelEntry("raw_tracepoint_writable", 5, 2)
    case .cgroupSockopt: KernelEntry("cgroup_sockopt", 5, 3)
    case .tracing: KernelEntry("tracing", 5, 5)
    case .structOps: KernelEntry("struct_ops", 5, 6)
    case .ext: KernelEntry("ext", 5, 6)
    case .lsm: KernelEntry("lsm", 5, 7)
    case .skLookup: KernelEntry("sk_lookup", 5, 9)
    case .syscall: KernelEntry("syscall", 5, 14)
    case .netfilter: KernelEntry("netfilter", 6, 4)
    }
  }
}
