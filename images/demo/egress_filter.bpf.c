// Refuses what the processes of a cgroup send to forbidden IPv4 networks or ports. Empty maps refuse nothing.
//
//   blocked_networks   the forbidden networks; the value counts the refused packets
//   blocked_ports      the forbidden TCP and UDP destination ports (host byte order), counted the same way
#include "vbpf.h"

struct network {
  __u32 prefix_length;
  __u8 address[4];
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 1024);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct network);
  __type(value, __u64);
} blocked_networks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u16);
  __type(value, __u64);
} blocked_ports SEC(".maps");

#define REFUSE 0
#define ALLOW 1

static __always_inline int refuse(__u64 *count) {
  __sync_fetch_and_add(count, 1);
  return REFUSE;
}

SEC("cgroup_skb/egress")
int egress_filter(struct __sk_buff *packet) {
  if (packet->protocol != to_be16(ETH_P_IP)) return ALLOW;

  // The packet begins at its network header here.
  struct iphdr ip;
  if (bpf_skb_load_bytes(packet, 0, &ip, sizeof(ip)) != 0) return ALLOW;
  struct network destination = {.prefix_length = 32};
  __builtin_memcpy(destination.address, &ip.destination, sizeof(destination.address));
  __u64 *count = bpf_map_lookup_elem(&blocked_networks, &destination);
  if (count) return refuse(count);

  if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) return ALLOW;
  // Only a packet's first fragment carries the ports.
  if (ip.fragment_offset & to_be16(0x1fff)) return ALLOW;
  struct ports ports;
  if (bpf_skb_load_bytes(packet, (ip.version_and_length & 0xf) * 4, &ports, sizeof(ports)) != 0) return ALLOW;
  __u16 port = from_be16(ports.destination);
  count = bpf_map_lookup_elem(&blocked_ports, &port);
  return count ? refuse(count) : ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
