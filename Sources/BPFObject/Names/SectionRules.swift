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
  /// `enum bpf_prog_type`.
  let type: UInt32
  /// `enum bpf_attach_type`.
  let attachType: UInt32
  /// Whether `/` and a target may follow the prefix.
  let isNamed: Bool
  let options: Options

  private init(_ prefix: String, _ type: UInt32, _ attachType: UInt32, named: Bool = false, _ options: Options = []) {
    self.prefix = prefix
    self.type = type
    self.attachType = attachType
    isNamed = named
    self.options = options
  }

  /// Where each prefix stands in ``all``; of two that are equal the first counts.
  static let indexes: [Substring: Int] = Dictionary(
    zip(all.map { Substring($0.prefix) }, all.indices), uniquingKeysWith: { first, _ in first })

  /// libbpf's table (Documentation/bpf/libbpf/program_types.rst lists it) with the numbers of
  /// include/uapi/linux/bpf.h: program type, then expected attach type.
  static let all: [SectionRule] = [
    SectionRule("socket", 1, 0),
    SectionRule("sk_reuseport/migrate", 21, 40),
    SectionRule("sk_reuseport", 21, 39),
    SectionRule("kprobe", 2, 0, named: true),
    SectionRule("uprobe", 2, 0, named: true),
    SectionRule("uprobe.s", 2, 0, named: true, [.sleepable]),
    SectionRule("kretprobe", 2, 0, named: true),
    SectionRule("uretprobe", 2, 0, named: true),
    SectionRule("uretprobe.s", 2, 0, named: true, [.sleepable]),
    SectionRule("kprobe.multi", 2, 42, named: true),
    SectionRule("kretprobe.multi", 2, 42, named: true),
    SectionRule("kprobe.session", 2, 56, named: true),
    SectionRule("uprobe.multi", 2, 48, named: true),
    SectionRule("uretprobe.multi", 2, 48, named: true),
    SectionRule("uprobe.session", 2, 57, named: true),
    SectionRule("uprobe.multi.s", 2, 48, named: true, [.sleepable]),
    SectionRule("uretprobe.multi.s", 2, 48, named: true, [.sleepable]),
    SectionRule("uprobe.session.s", 2, 57, named: true, [.sleepable]),
    SectionRule("ksyscall", 2, 0, named: true),
    SectionRule("kretsyscall", 2, 0, named: true),
    SectionRule("usdt", 2, 0, named: true),
    SectionRule("usdt.s", 2, 0, named: true, [.sleepable]),
    SectionRule("tc/ingress", 3, 46),
    SectionRule("tc/egress", 3, 47),
    SectionRule("tcx/ingress", 3, 46),
    SectionRule("tcx/egress", 3, 47),
    SectionRule("tc", 3, 0),
    SectionRule("classifier", 3, 0),
    SectionRule("action", 4, 0),
    SectionRule("netkit/primary", 3, 54),
    SectionRule("netkit/peer", 3, 55),
    SectionRule("tracepoint", 5, 0, named: true),
    SectionRule("tp", 5, 0, named: true),
    SectionRule("raw_tracepoint", 17, 0, named: true),
    SectionRule("raw_tp", 17, 0, named: true),
    SectionRule("raw_tracepoint.w", 24, 0, named: true),
    SectionRule("raw_tp.w", 24, 0, named: true),
    SectionRule("tp_btf", 26, 23, named: true, [.attachesByBTF]),
    SectionRule("fentry", 26, 24, named: true, [.attachesByBTF]),
    SectionRule("fmod_ret", 26, 26, named: true, [.attachesByBTF]),
    SectionRule("fexit", 26, 25, named: true, [.attachesByBTF]),
    SectionRule("fentry.s", 26, 24, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fmod_ret.s", 26, 26, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fexit.s", 26, 25, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("fsession", 26, 58, named: true, [.attachesByBTF]),
    SectionRule("fsession.s", 26, 58, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("freplace", 28, 0, named: true, [.attachesByBTF]),
    SectionRule("lsm", 29, 27, named: true, [.attachesByBTF]),
    SectionRule("lsm.s", 29, 27, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("lsm_cgroup", 29, 43, named: true, [.attachesByBTF]),
    SectionRule("iter", 26, 28, named: true, [.attachesByBTF]),
    SectionRule("iter.s", 26, 28, named: true, [.attachesByBTF, .sleepable]),
    SectionRule("syscall", 31, 0, [.sleepable]),
    SectionRule("xdp.frags/devmap", 6, 33, [.fragments]),
    SectionRule("xdp/devmap", 6, 33),
    SectionRule("xdp.frags/cpumap", 6, 35, [.fragments]),
    SectionRule("xdp/cpumap", 6, 35),
    SectionRule("xdp.frags", 6, 37, [.fragments]),
    SectionRule("xdp", 6, 37),
    SectionRule("perf_event", 7, 0),
    SectionRule("lwt_in", 10, 0),
    SectionRule("lwt_out", 11, 0),
    SectionRule("lwt_xmit", 12, 0),
    SectionRule("lwt_seg6local", 19, 0),
    SectionRule("sockops", 13, 3),
    SectionRule("sk_skb/stream_parser", 14, 4),
    SectionRule("sk_skb/stream_verdict", 14, 5),
    SectionRule("sk_skb/verdict", 14, 38),
    SectionRule("sk_skb", 14, 0),
    SectionRule("sk_msg", 16, 7),
    SectionRule("lirc_mode2", 20, 16),
    SectionRule("flow_dissector", 22, 17),
    SectionRule("cgroup_skb/ingress", 8, 0),
    SectionRule("cgroup_skb/egress", 8, 1),
    SectionRule("cgroup/skb", 8, 0),
    SectionRule("cgroup/sock_create", 9, 2),
    SectionRule("cgroup/sock_release", 9, 34),
    SectionRule("cgroup/sock", 9, 2),
    SectionRule("cgroup/post_bind4", 9, 12),
    SectionRule("cgroup/post_bind6", 9, 13),
    SectionRule("cgroup/bind4", 18, 8),
    SectionRule("cgroup/bind6", 18, 9),
    SectionRule("cgroup/connect4", 18, 10),
    SectionRule("cgroup/connect6", 18, 11),
    SectionRule("cgroup/connect_unix", 18, 49),
    SectionRule("cgroup/sendmsg4", 18, 14),
    SectionRule("cgroup/sendmsg6", 18, 15),
    SectionRule("cgroup/sendmsg_unix", 18, 50),
    SectionRule("cgroup/recvmsg4", 18, 19),
    SectionRule("cgroup/recvmsg6", 18, 20),
    SectionRule("cgroup/recvmsg_unix", 18, 51),
    SectionRule("cgroup/getpeername4", 18, 29),
    SectionRule("cgroup/getpeername6", 18, 30),
    SectionRule("cgroup/getpeername_unix", 18, 52),
    SectionRule("cgroup/getsockname4", 18, 31),
    SectionRule("cgroup/getsockname6", 18, 32),
    SectionRule("cgroup/getsockname_unix", 18, 53),
    SectionRule("cgroup/sysctl", 23, 18),
    SectionRule("cgroup/getsockopt", 25, 21),
    SectionRule("cgroup/setsockopt", 25, 22),
    SectionRule("cgroup/dev", 15, 6),
    SectionRule("struct_ops", 27, 0, named: true),
    SectionRule("struct_ops.s", 27, 0, named: true, [.sleepable]),
    SectionRule("sk_lookup", 30, 36),
    SectionRule("netfilter", 32, 45),
  ]
}
