// Counts packets and bytes that reach an interface, by IP protocol. Never drops anything.
//
//   counters   what was seen, indexed by IP protocol number (6 TCP, 17 UDP, 58 ICMPv6 …)
//   .rodata    fixed when the object is built: how many VLAN tags are looked behind
//   .data      may be changed while it runs: counting can be paused
//   .bss       frames that are not IP, and frames that are cut short
#include "vbpf.h"

struct counter {
  __u64 packets;
  __u64 bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, struct counter);
} counters SEC(".maps");

const volatile __u32 vlan_depth = 2;
volatile __u32 counting = 1;
__u64 not_ip;
__u64 cut_short;

static __always_inline int count_protocol(__u32 protocol, __u64 bytes) {
  struct counter *counter = bpf_map_lookup_elem(&counters, &protocol);
  if (counter) {
    __sync_fetch_and_add(&counter->packets, 1);
    __sync_fetch_and_add(&counter->bytes, bytes);
  }
  return XDP_PASS;
}

static __always_inline int count_into(__u64 *total) {
  __sync_fetch_and_add(total, 1);
  return XDP_PASS;
}

SEC("xdp")
int xdp_counter(struct xdp_md *frame) {
  void *start = (void *)(long)frame->data;
  void *end = (void *)(long)frame->data_end;

  if (!counting) return XDP_PASS;

  struct ethhdr *ethernet = start;
  if ((void *)(ethernet + 1) > end) return count_into(&cut_short);
  __be16 protocol = ethernet->protocol;
  void *payload = ethernet + 1;

  for (__u32 depth = 0; depth < 4 && depth < vlan_depth; depth++) {
    if (protocol != to_be16(ETH_P_8021Q) && protocol != to_be16(ETH_P_8021AD)) break;
    struct vlanhdr *tag = payload;
    if ((void *)(tag + 1) > end) return count_into(&cut_short);
    protocol = tag->protocol;
    payload = tag + 1;
  }

  if (protocol == to_be16(ETH_P_IP)) {
    struct iphdr *ip = payload;
    if ((void *)(ip + 1) > end) return count_into(&cut_short);
    return count_protocol(ip->protocol, end - start);
  }
  if (protocol == to_be16(ETH_P_IPV6)) {
    struct ipv6hdr *ip = payload;
    if ((void *)(ip + 1) > end) return count_into(&cut_short);
    return count_protocol(ip->next_header, end - start);
  }
  return count_into(&not_ip);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
