/// What is known of one helper: its name, and the properties that the analyses ask about.
///
/// One table, for all of them are asked about every call of every program, and a literal is laid out by the compiler and
/// needs no time at the start. What nobody has looked at has no property; the analyses take it for the worst.
struct KnownHelper: Sendable {
  struct Traits: OptionSet, Sendable {
    let rawValue: UInt8

    /// It stays with maps, time and the packet or socket in hand, and may be called by a restricted program
    /// (``RestrictedClass``). Left out are those that call back a number of times which the verifier does not follow
    /// (`loop`, `for_each_map_elem`: nested, they hold a processor for hours), those that find other sockets than the one
    /// in hand, and `snprintf`, which prints the string behind any address (`%s`) without asking lockdown.
    static let restricted = Traits(rawValue: 1)
    /// It finds other sockets, and copies nothing from the kernel but what its arguments point to.
    static let findsSockets = Traits(rawValue: 2)
    /// It needs CAP_PERFMON.
    static let needsPerfmon = Traits(rawValue: 4)
    /// It copies kernel memory: size in r2, address in r3.
    static let copiesKernel = Traits(rawValue: 8)
    /// It returns a pointer to a kernel structure (RET_PTR_TO_BTF_ID and its like, net/core/filter.c,
    /// kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
    static let returnsPointer = Traits(rawValue: 16)
  }

  /// Without `bpf_`.
  let name: String
  let traits: Traits
  /// One bit a register: arguments that it reads memory through, for a helper that reads no kernel memory but what its
  /// arguments point to; nil for those that may read more, and for those that nobody looked at. A pointer to a kernel
  /// structure in one of these registers would have the structure's bytes copied (kernel/bpf/verifier.c, mem_types).
  let memory: UInt16?

  /// - Parameters:
  ///   - arguments: how many it has, where somebody looked (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
  ///   - handle: the argument that names a structure of the kernel without its being read; 0 for none.
  private init(_ name: String, arguments: UInt16? = nil, handle: UInt16 = 0, _ traits: Traits = []) {
    self.name = name
    self.traits = traits
    if let arguments {
      // Registers 1 to the last argument.
      let all = (UInt16(1) << (arguments + 1)) &- 2
      memory = handle == 0 ? all : all & ~(1 << handle)
    } else {
      memory = traits.isDisjoint(with: [.restricted, .findsSockets]) ? nil : 0x3e
    }
  }

  /// By number; nil for a number that no kernel has.
  static subscript(_ id: UInt32) -> KnownHelper? { id > 0 && id < UInt32(all.count) ? all[Int(id)] : nil }

  /// By number (include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER; the list is closed since 6.2: what came later are kernel
  /// functions).
  static let all: [KnownHelper] = [
    KnownHelper("unspec"),
    KnownHelper("map_lookup_elem", arguments: 2, .restricted),
    KnownHelper("map_update_elem", arguments: 4, .restricted),
    KnownHelper("map_delete_elem", arguments: 2, .restricted),
    KnownHelper("probe_read", [.needsPerfmon, .copiesKernel]),
    KnownHelper("ktime_get_ns", arguments: 0, .restricted),
    KnownHelper("trace_printk", .needsPerfmon),
    KnownHelper("get_prandom_u32", arguments: 0, .restricted),
    KnownHelper("get_smp_processor_id", arguments: 0, .restricted),
    KnownHelper("skb_store_bytes", .restricted),
    KnownHelper("l3_csum_replace", .restricted),
    KnownHelper("l4_csum_replace", .restricted),
    KnownHelper("tail_call", arguments: 3),
    KnownHelper("clone_redirect"),
    KnownHelper("get_current_pid_tgid", arguments: 0),
    KnownHelper("get_current_uid_gid", arguments: 0),
    KnownHelper("get_current_comm", arguments: 2),
    KnownHelper("get_cgroup_classid", .restricted),
    KnownHelper("skb_vlan_push", .restricted),
    KnownHelper("skb_vlan_pop", .restricted),
    KnownHelper("skb_get_tunnel_key", .restricted),
    KnownHelper("skb_set_tunnel_key", .restricted),
    KnownHelper("perf_event_read"),
    KnownHelper("redirect", .restricted),
    KnownHelper("get_route_realm", .restricted),
    KnownHelper("perf_event_output", arguments: 5, .restricted),
    KnownHelper("skb_load_bytes", .restricted),
    KnownHelper("get_stackid"),
    KnownHelper("csum_diff", .restricted),
    KnownHelper("skb_get_tunnel_opt", .restricted),
    KnownHelper("skb_set_tunnel_opt", .restricted),
    KnownHelper("skb_change_proto", .restricted),
    KnownHelper("skb_change_type", .restricted),
    KnownHelper("skb_under_cgroup"),
    KnownHelper("get_hash_recalc", .restricted),
    KnownHelper("get_current_task", arguments: 0, .needsPerfmon),
    KnownHelper("probe_write_user"),
    KnownHelper("current_task_under_cgroup", arguments: 2),
    KnownHelper("skb_change_tail", .restricted),
    KnownHelper("skb_pull_data", .restricted),
    KnownHelper("csum_update", .restricted),
    KnownHelper("set_hash_invalid", .restricted),
    KnownHelper("get_numa_node_id", arguments: 0, .restricted),
    KnownHelper("skb_change_head", .restricted),
    KnownHelper("xdp_adjust_head", .restricted),
    KnownHelper("probe_read_str", [.needsPerfmon, .copiesKernel]),
    KnownHelper("get_socket_cookie", .restricted),
    KnownHelper("get_socket_uid", .restricted),
    KnownHelper("set_hash", .restricted),
    KnownHelper("setsockopt"),
    KnownHelper("skb_adjust_room", .restricted),
    KnownHelper("redirect_map", .restricted),
    KnownHelper("sk_redirect_map"),
    KnownHelper("sock_map_update"),
    KnownHelper("xdp_adjust_meta", .restricted),
    KnownHelper("perf_event_read_value"),
    KnownHelper("perf_prog_read_value"),
    KnownHelper("getsockopt"),
    KnownHelper("override_return", arguments: 2),
    KnownHelper("sock_ops_cb_flags_set"),
    KnownHelper("msg_redirect_map"),
    KnownHelper("msg_apply_bytes", .restricted),
    KnownHelper("msg_cork_bytes", .restricted),
    KnownHelper("msg_pull_data", .restricted),
    KnownHelper("bind"),
    KnownHelper("xdp_adjust_tail", .restricted),
    KnownHelper("skb_get_xfrm_state"),
    KnownHelper("get_stack"),
    KnownHelper("skb_load_bytes_relative", .restricted),
    KnownHelper("fib_lookup", .restricted),
    KnownHelper("sock_hash_update"),
    KnownHelper("msg_redirect_hash"),
    KnownHelper("sk_redirect_hash"),
    KnownHelper("lwt_push_encap"),
    KnownHelper("lwt_seg6_store_bytes"),
    KnownHelper("lwt_seg6_adjust_srh"),
    KnownHelper("lwt_seg6_action"),
    KnownHelper("rc_repeat"),
    KnownHelper("rc_keydown"),
    KnownHelper("skb_cgroup_id"),
    KnownHelper("get_current_cgroup_id", arguments: 0),
    KnownHelper("get_local_storage"),
    KnownHelper("sk_select_reuseport", .restricted),
    KnownHelper("skb_ancestor_cgroup_id"),
    KnownHelper("sk_lookup_tcp", .findsSockets),
    KnownHelper("sk_lookup_udp", .findsSockets),
    KnownHelper("sk_release", .restricted),
    KnownHelper("map_push_elem", arguments: 3, .restricted),
    KnownHelper("map_pop_elem", arguments: 2, .restricted),
    KnownHelper("map_peek_elem", arguments: 2, .restricted),
    KnownHelper("msg_push_data", .restricted),
    KnownHelper("msg_pop_data", .restricted),
    KnownHelper("rc_pointer_rel"),
    KnownHelper("spin_lock", arguments: 1, .restricted),
    KnownHelper("spin_unlock", arguments: 1, .restricted),
    KnownHelper("sk_fullsock", .restricted),
    KnownHelper("tcp_sock", .restricted),
    KnownHelper("skb_ecn_set_ce", .restricted),
    KnownHelper("get_listener_sock", .restricted),
    KnownHelper("skc_lookup_tcp", .findsSockets),
    KnownHelper("tcp_check_syncookie", .restricted),
    KnownHelper("sysctl_get_name"),
    KnownHelper("sysctl_get_current_value"),
    KnownHelper("sysctl_get_new_value"),
    KnownHelper("sysctl_set_new_value"),
    KnownHelper("strtol", arguments: 4, .restricted),
    KnownHelper("strtoul", arguments: 4, .restricted),
    KnownHelper("sk_storage_get", arguments: 4, handle: 2),
    KnownHelper("sk_storage_delete", arguments: 2, handle: 2),
    KnownHelper("send_signal", arguments: 1),
    KnownHelper("tcp_gen_syncookie", .restricted),
    KnownHelper("skb_output"),
    KnownHelper("probe_read_user", arguments: 3, .needsPerfmon),
    KnownHelper("probe_read_kernel", [.needsPerfmon, .copiesKernel]),
    KnownHelper("probe_read_user_str", arguments: 3, .needsPerfmon),
    KnownHelper("probe_read_kernel_str", [.needsPerfmon, .copiesKernel]),
    KnownHelper("tcp_send_ack"),
    KnownHelper("send_signal_thread", arguments: 1),
    KnownHelper("jiffies64", arguments: 0, .restricted),
    KnownHelper("read_branch_records"),
    KnownHelper("get_ns_current_pid_tgid", arguments: 4),
    KnownHelper("xdp_output"),
    KnownHelper("get_netns_cookie", .restricted),
    KnownHelper("get_current_ancestor_cgroup_id", arguments: 1),
    KnownHelper("sk_assign", .restricted),
    KnownHelper("ktime_get_boot_ns", arguments: 0, .restricted),
    KnownHelper("seq_printf"),
    KnownHelper("seq_write"),
    KnownHelper("sk_cgroup_id"),
    KnownHelper("sk_ancestor_cgroup_id"),
    KnownHelper("ringbuf_output", arguments: 4, .restricted),
    KnownHelper("ringbuf_reserve", arguments: 3, .restricted),
    KnownHelper("ringbuf_submit", arguments: 2, .restricted),
    KnownHelper("ringbuf_discard", arguments: 2, .restricted),
    KnownHelper("ringbuf_query", arguments: 2, .restricted),
    KnownHelper("csum_level", .restricted),
    KnownHelper("skc_to_tcp6_sock", .returnsPointer),
    KnownHelper("skc_to_tcp_sock", .returnsPointer),
    KnownHelper("skc_to_tcp_timewait_sock", .returnsPointer),
    KnownHelper("skc_to_tcp_request_sock", .returnsPointer),
    KnownHelper("skc_to_udp6_sock", .returnsPointer),
    KnownHelper("get_task_stack"),
    KnownHelper("load_hdr_opt"),
    KnownHelper("store_hdr_opt"),
    KnownHelper("reserve_hdr_opt"),
    KnownHelper("inode_storage_get", arguments: 4, handle: 2),
    KnownHelper("inode_storage_delete", arguments: 2, handle: 2),
    KnownHelper("d_path"),
    KnownHelper("copy_from_user", arguments: 3),
    KnownHelper("snprintf_btf", .needsPerfmon),
    KnownHelper("seq_printf_btf"),
    KnownHelper("skb_cgroup_classid", .restricted),
    KnownHelper("redirect_neigh", .restricted),
    KnownHelper("per_cpu_ptr", arguments: 2, handle: 1, .returnsPointer),
    KnownHelper("this_cpu_ptr", arguments: 1, handle: 1, .returnsPointer),
    KnownHelper("redirect_peer", .restricted),
    KnownHelper("task_storage_get", arguments: 4, handle: 2),
    KnownHelper("task_storage_delete", arguments: 2, handle: 2),
    KnownHelper("get_current_task_btf", arguments: 0, [.needsPerfmon, .returnsPointer]),
    KnownHelper("bprm_opts_set"),
    KnownHelper("ktime_get_coarse_ns", arguments: 0, .restricted),
    KnownHelper("ima_inode_hash"),
    KnownHelper("sock_from_file", .returnsPointer),
    KnownHelper("check_mtu", .restricted),
    KnownHelper("for_each_map_elem", arguments: 4),
    KnownHelper("snprintf", .needsPerfmon),
    KnownHelper("sys_bpf", .needsPerfmon),
    KnownHelper("btf_find_by_name_kind"),
    KnownHelper("sys_close"),
    KnownHelper("timer_init", arguments: 3),
    KnownHelper("timer_set_callback", arguments: 2),
    KnownHelper("timer_start", arguments: 3),
    KnownHelper("timer_cancel", arguments: 1),
    KnownHelper("get_func_ip", arguments: 1),
    KnownHelper("get_attach_cookie", arguments: 1),
    KnownHelper("task_pt_regs", [.needsPerfmon, .returnsPointer]),
    KnownHelper("get_branch_snapshot"),
    KnownHelper("trace_vprintk", .needsPerfmon),
    KnownHelper("skc_to_unix_sock", .returnsPointer),
    KnownHelper("kallsyms_lookup_name", .needsPerfmon),
    KnownHelper("find_vma"),
    KnownHelper("loop", arguments: 4),
    KnownHelper("strncmp", arguments: 3, .restricted),
    KnownHelper("get_func_arg", arguments: 3),
    KnownHelper("get_func_ret", arguments: 2),
    KnownHelper("get_func_arg_cnt", arguments: 1),
    KnownHelper("get_retval", arguments: 0),
    KnownHelper("set_retval", arguments: 1),
    KnownHelper("xdp_get_buff_len", .restricted),
    KnownHelper("xdp_load_bytes", .restricted),
    KnownHelper("xdp_store_bytes", .restricted),
    KnownHelper("copy_from_user_task", arguments: 5, handle: 4),
    KnownHelper("skb_set_tstamp"),
    KnownHelper("ima_file_hash"),
    KnownHelper("kptr_xchg", arguments: 2, handle: 2, .returnsPointer),
    KnownHelper("map_lookup_percpu_elem", arguments: 3, .restricted),
    KnownHelper("skc_to_mptcp_sock", .returnsPointer),
    KnownHelper("dynptr_from_mem"),
    KnownHelper("ringbuf_reserve_dynptr"),
    KnownHelper("ringbuf_submit_dynptr"),
    KnownHelper("ringbuf_discard_dynptr"),
    KnownHelper("dynptr_read"),
    KnownHelper("dynptr_write"),
    KnownHelper("dynptr_data"),
    KnownHelper("tcp_raw_gen_syncookie_ipv4"),
    KnownHelper("tcp_raw_gen_syncookie_ipv6"),
    KnownHelper("tcp_raw_check_syncookie_ipv4"),
    KnownHelper("tcp_raw_check_syncookie_ipv6"),
    KnownHelper("ktime_get_tai_ns", arguments: 0, .restricted),
    KnownHelper("user_ringbuf_drain"),
    KnownHelper("cgrp_storage_get", arguments: 4, handle: 2),
    KnownHelper("cgrp_storage_delete", arguments: 2, handle: 2),
  ]
}
