internal import BPFObject
internal import LinuxSys

/// Which capabilities a load needs.
///
/// After kernel/bpf/syscall.c (bpf_prog_load, is_net_admin_prog_type, is_perfmon_prog_type); CAP_SYS_ADMIN stands in
/// for each of them.
struct RequiredPrivilege: Equatable, Sendable {
  /// The capabilities the program types ask for, CAP_BPF among them.
  let capabilities: [Capability]
  /// Whether all are of types that need none where kernel.unprivileged_bpf_disabled is 0: SOCKET_FILTER, CGROUP_SKB.
  let isUnprivilegedKind: Bool

  init(kinds: [ProgramKind]) {
    var needed: Set<Capability> = [.bpf]
    for kind in kinds {
      if Self.netAdminTypes.contains(kind.type) { needed.insert(.netAdmin) }
      if Self.perfmonTypes.contains(kind.type) { needed.insert(.perfmon) }
    }
    capabilities = needed.sorted { $0.rawValue > $1.rawValue }
    isUnprivilegedKind = !kinds.isEmpty && kinds.allSatisfy { $0.type == 1 || $0.type == 8 }
  }

  /// SCHED_CLS, SCHED_ACT, XDP, LWT_IN/OUT/XMIT, SOCK_OPS, SK_SKB, CGROUP_DEVICE, SK_MSG, CGROUP_SOCK_ADDR,
  /// LWT_SEG6LOCAL, FLOW_DISSECTOR, CGROUP_SYSCTL, CGROUP_SOCKOPT, EXT, CGROUP_SOCK, NETFILTER.
  private static let netAdminTypes: Set<UInt32> = [3, 4, 6, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 22, 23, 25, 28, 32]
  /// KPROBE, TRACEPOINT, PERF_EVENT, RAW_TRACEPOINT, RAW_TRACEPOINT_WRITABLE, TRACING, STRUCT_OPS, EXT, LSM.
  private static let perfmonTypes: Set<UInt32> = [2, 5, 7, 17, 24, 26, 27, 28, 29]
}
