/// Words that people know for a kind of program or an attach type, from the sections of libbpf, from tc(8) and from libbpf's
/// API: a policy has one word for each, and hints lead to it.
enum Synonyms {
  /// The words of policies that may be meant; none where nothing is known of the word.
  static func meant(by word: String, of name: PropertyName) -> [String] {
    guard case .words(let known) = name.shape, let (others, prefixes) = words(of: name) else { return [] }
    let plain = String(word.lowercased().map { $0 == "/" || $0 == "." ? "_" : $0 })
    for prefix in [""] + prefixes where plain.hasPrefix(prefix) {
      let stem = String(plain.dropFirst(prefix.utf8.count))
      if known.contains(stem) { return [stem] }
      if let meant = others[stem] { return meant }
    }
    return []
  }

  /// The words for a property, and what they may also begin with.
  private static func words(of name: PropertyName) -> (words: [String: [String]], prefixes: [String])? {
    if name == .programType { return (programTypes, ["bpf_prog_type_"]) }
    if name == .attachType { return (attachTypes, ["bpf_attach_type_", "bpf_"]) }
    return nil
  }

  /// Section names without what follows the slash, and tc's word.
  static let programTypes: [String: [String]] = [
    "tc": ["sched_cls"], "tcx": ["sched_cls"], "classifier": ["sched_cls"], "netkit": ["sched_cls"],
    "action": ["sched_act"], "socket": ["socket_filter"], "filter": ["socket_filter"],
    "kretprobe": ["kprobe"], "uprobe": ["kprobe"], "uretprobe": ["kprobe"], "usdt": ["kprobe"],
    "ksyscall": ["kprobe"], "kretsyscall": ["kprobe"], "kprobe_multi": ["kprobe"], "uprobe_multi": ["kprobe"],
    "tp": ["tracepoint"], "raw_tp": ["raw_tracepoint"], "raw_tp_w": ["raw_tracepoint_writable"],
    "tp_btf": ["tracing"], "fentry": ["tracing"], "fexit": ["tracing"], "fmod_ret": ["tracing"], "iter": ["tracing"],
    "freplace": ["ext"], "extension": ["ext"], "lsm_cgroup": ["lsm"], "sockops": ["sock_ops"],
    "cgroup": ["cgroup_skb", "cgroup_sock", "cgroup_sock_addr"], "cgroup_dev": ["cgroup_device"],
    "sk_skb_stream_parser": ["sk_skb"], "sk_skb_stream_verdict": ["sk_skb"],
  ]

  static let attachTypes: [String: [String]] = [
    "fentry": ["trace_fentry"], "fexit": ["trace_fexit"], "fsession": ["trace_fsession"],
    "fmod_ret": ["modify_return"], "tp_btf": ["trace_raw_tp"], "raw_tp": ["trace_raw_tp"], "iter": ["trace_iter"],
    "kprobe_multi": ["trace_kprobe_multi"], "uprobe_multi": ["trace_uprobe_multi"],
    "kprobe_session": ["trace_kprobe_session"], "uprobe_session": ["trace_uprobe_session"],
    "lsm": ["lsm_mac"], "tc": ["tcx_ingress", "tcx_egress"], "tcx": ["tcx_ingress", "tcx_egress"],
    "ingress": ["tcx_ingress", "cgroup_inet_ingress"], "egress": ["tcx_egress", "cgroup_inet_egress"],
    "netkit": ["netkit_primary", "netkit_peer"], "sockops": ["cgroup_sock_ops"],
    "connect4": ["cgroup_inet4_connect"], "connect6": ["cgroup_inet6_connect"],
    "bind4": ["cgroup_inet4_bind"], "bind6": ["cgroup_inet6_bind"],
  ]
}
