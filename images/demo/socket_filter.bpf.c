// For a packet socket: lets through only what goes to or comes from one TCP or UDP port over IPv4, cut to its first
// bytes, so that a capturing tool copies no more than it needs.
//
//   .rodata   fixed when the object is built: how much of a packet is kept
//   .data     may be changed while it runs: the port
//   .bss      how many packets passed and how many were skipped
#include "vbpf.h"

const volatile __u32 kept_bytes = 96;
volatile __u16 port = 53;
__u64 passed;
__u64 skipped;

static __always_inline bool is_wanted(struct __sk_buff *packet) {
  if (packet->protocol != to_be16(ETH_P_IP)) return false;
  // Counted from the network header: whether the Ethernet header is there too depends on the socket's type.
  struct iphdr ip;
  if (bpf_skb_load_bytes_relative(packet, 0, &ip, sizeof(ip), BPF_HDR_START_NET) != 0) return false;
  if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) return false;
  struct ports ports;
  __u32 offset = (ip.version_and_length & 0xf) * 4;
  if (bpf_skb_load_bytes_relative(packet, offset, &ports, sizeof(ports), BPF_HDR_START_NET) != 0) return false;
  return from_be16(ports.source) == port || from_be16(ports.destination) == port;
}

SEC("socket")
int socket_filter(struct __sk_buff *packet) {
  if (is_wanted(packet)) {
    __sync_fetch_and_add(&passed, 1);
    return kept_bytes;
  }
  __sync_fetch_and_add(&skipped, 1);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
