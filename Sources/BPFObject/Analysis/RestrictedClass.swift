internal import BPFNames

/// What a program does beyond the packet or socket it was called for (`x_class=RESTRICTED` in a policy).
///
/// A restricted program can look at, change or drop what it was called with, keep bounded notes in maps of its own, and
/// tell the time. It cannot read or write any other memory, of the kernel or of a process, nor look for other sockets; it
/// cannot stop, wait, run for longer than the verifier has followed it, or be called from anywhere in the kernel; it
/// cannot reach another program or another program's maps. Everything is allowed by name, so what a newer kernel brings
/// is not restricted until it is looked at.
enum RestrictedClass {
  /// Bytes that the maps of a restricted program may take together, those of per-CPU maps for each processor.
  static let mapByteLimit: UInt64 = 16 << 20

  /// Why a program is not restricted; empty when it is.
  ///
  /// - Parameter maps: all of the object's, for they are made whether this program uses them or not.
  static func objections(
    kind: String, isSleepable: Bool, maysGoOn: Bool, helpers: [HelperUse], kernelReads: [KernelRead],
    kernelSymbols: [String], maps: [LinkedMap]
  ) -> [String] {
    var found: [String] = []
    if !programTypes.contains(kind) {
      found.append("programs of type \(kind) are called for more than a packet or socket")
    }
    if isSleepable { found.append("it may sleep") }
    if maysGoOn { found.append("it has a loop that only a clock or counter ends when it runs (may_goto)") }
    for helper in helpers where !isAllowed(helper) { found.append("it calls \(helper.label)") }
    for symbol in kernelSymbols { found.append("it uses the kernel's own \(symbol)") }
    if kernelReads.contains(where: { $0.means == .pointer }) { found.append("it follows pointers into the kernel") }
    for map in maps {
      let type = TypeNames.map(map.type)
      if !mapTypes.contains(type) { found.append("map \(map.name) is of type \(type)") }
      if map.pinsByName { found.append("map \(map.name) is shared by its name") }
    }
    let byteCount = maps.reduce(UInt64(0)) { sum, map in
      let (total, overflow) = sum.addingReportingOverflow(MapMemory.bytes(of: map))
      return overflow ? .max : total
    }
    if byteCount > mapByteLimit { found.append("its maps take more than \(mapByteLimit >> 20) MiB") }
    return found
  }

  private static func isAllowed(_ helper: HelperUse) -> Bool { helper.name.map { Self.helpers.contains($0) } ?? false }

  /// Types of programs that are called with a packet or a socket, and with nothing else.
  private static let programTypes: Set<String> = [
    "socket_filter", "sched_cls", "sched_act", "xdp", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit", "sk_skb",
    "sk_msg", "sk_reuseport", "sk_lookup", "flow_dissector",
  ]

  /// Types of maps that hold plain values, or where packets go.
  private static let mapTypes: Set<String> = [
    "hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "queue", "stack",
    "ringbuf", "perf_event_array", "bloom_filter", "devmap", "devmap_hash", "cpumap", "xskmap",
    "reuseport_sockarray",
  ]

  /// Helpers that stay with maps, time and the packet or socket in hand. Left out are those that call back a number of
  /// times which the verifier does not follow (loop, for_each_map_elem: nested, they hold a processor for hours), and
  /// those that find other sockets than the one in hand (sk_lookup_tcp and the like).
  static let helpers: Set<String> = [
    // Maps, and telling user space.
    "map_lookup_elem", "map_update_elem", "map_delete_elem", "map_push_elem", "map_pop_elem", "map_peek_elem",
    "map_lookup_percpu_elem", "spin_lock", "spin_unlock", "ringbuf_output", "ringbuf_reserve",
    "ringbuf_submit", "ringbuf_discard", "ringbuf_query", "perf_event_output",
    // Time, chance, place.
    "ktime_get_ns", "ktime_get_boot_ns", "ktime_get_coarse_ns", "ktime_get_tai_ns", "jiffies64", "get_prandom_u32",
    "get_smp_processor_id", "get_numa_node_id",
    // Computing. (snprintf prints the string behind any address, %s, and lockdown does not ask.)
    "csum_diff", "strncmp", "strtol", "strtoul",
    // The packet in hand.
    "skb_load_bytes", "skb_load_bytes_relative", "skb_store_bytes", "l3_csum_replace", "l4_csum_replace",
    "csum_update", "csum_level", "skb_pull_data", "skb_change_head", "skb_change_tail", "skb_change_proto",
    "skb_change_type", "skb_adjust_room", "skb_vlan_push", "skb_vlan_pop", "skb_get_tunnel_key", "skb_set_tunnel_key",
    "skb_get_tunnel_opt", "skb_set_tunnel_opt", "get_hash_recalc", "set_hash", "set_hash_invalid", "skb_ecn_set_ce",
    "get_cgroup_classid", "get_route_realm", "skb_cgroup_classid", "check_mtu", "fib_lookup", "redirect",
    "redirect_map", "redirect_peer", "redirect_neigh", "xdp_adjust_head", "xdp_adjust_meta", "xdp_adjust_tail",
    "xdp_get_buff_len", "xdp_load_bytes", "xdp_store_bytes", "msg_apply_bytes", "msg_cork_bytes", "msg_pull_data",
    "msg_push_data", "msg_pop_data",
    // The socket in hand.
    "get_socket_cookie", "get_socket_uid", "get_netns_cookie", "sk_fullsock", "tcp_sock", "get_listener_sock",
    "sk_release", "sk_assign", "sk_select_reuseport",
    "tcp_check_syncookie", "tcp_gen_syncookie",
  ]
}
