/// What a link holds attached: `enum bpf_link_type` (include/uapi/linux/bpf.h).
public enum LinkType: UInt32, KernelConstant {
  case unspec = 0
  case rawTracepoint = 1
  case tracing = 2
  case cgroup = 3
  case iter = 4
  case netns = 5
  case xdp = 6
  case perfEvent = 7
  case kprobeMulti = 8
  case structOps = 9
  case netfilter = 10
  case tcx = 11
  case uprobeMulti = 12
  case netkit = 13
  case sockmap = 14
  case tracingMulti = 15

  public static let prefix = "BPF_LINK_TYPE_"

  public var entry: KernelEntry {
    switch self {
    case .unspec: KernelEntry("unspec", 5, 8)
    case .rawTracepoint: KernelEntry("raw_tracepoint", 5, 8)
    case .tracing: KernelEntry("tracing", 5, 8)
    case .cgroup: KernelEntry("cgroup", 5, 8)
    case .iter: KernelEntry("iter", 5, 8)
    case .netns: KernelEntry("netns", 5, 8)
    case .xdp: KernelEntry("xdp", 5, 9)
    case .perfEvent: KernelEntry("perf_event", 5, 15)
    case .kprobeMulti: KernelEntry("kprobe_multi", 5, 18)
    case .structOps: KernelEntry("struct_ops", 5, 19)
    case .netfilter: KernelEntry("netfilter", 6, 4)
    case .tcx: KernelEntry("tcx", 6, 6)
    case .uprobeMulti: KernelEntry("uprobe_multi", 6, 6)
    case .netkit: KernelEntry("netkit", 6, 7)
    case .sockmap: KernelEntry("sockmap", 6, 10)
    case .tracingMulti: KernelEntry("tracing_multi", 7, 2)
    }
  }
}
