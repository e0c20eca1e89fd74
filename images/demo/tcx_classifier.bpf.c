// Sorts incoming packets into classes by DSCP and port, counts each class and sets the packet's priority, which
// queueing disciplines take as the class.
//
//   classes   packets by class: 0 best effort, 1 bulk, 2 interactive, 3 network control
#include "vbpf.h"

enum class { BEST_EFFORT, BULK, INTERACTIVE, CONTROL, CLASSES };

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, CLASSES);
  __type(key, __u32);
  __type(value, __u64);
} classes SEC(".maps");

// The class a DSCP asks for (RFC 4594); BEST_EFFORT when it asks for nothing. Global, so the verifier checks it once,
// for any argument, by itself.
__noinline int class_of_dscp(__u32 dscp) {
  switch (dscp) {
    case 8: return BULK;                // CS1
    case 46: return INTERACTIVE;        // EF
    case 48: case 56: return CONTROL;   // CS6, CS7
    default: return BEST_EFFORT;
  }
}

// Static: checked at each call, with what the caller knows.
static __noinline int class_of_port(struct __sk_buff *packet, __u32 offset) {
  struct ports ports;
  if (bpf_skb_load_bytes(packet, offset, &ports, sizeof(ports)) != 0) return BEST_EFFORT;
  switch (from_be16(ports.destination)) {
    case 22: case 53: case 3478: return INTERACTIVE;  // SSH, DNS, STUN
    case 179: return CONTROL;                         // BGP
    case 873: case 9418: return BULK;                 // rsync, git
    default: return BEST_EFFORT;
  }
}

SEC("tcx/ingress")
int tcx_classifier(struct __sk_buff *packet) {
  __u32 class = BEST_EFFORT;
  struct iphdr ip;
  if (packet->protocol == to_be16(ETH_P_IP) &&
      bpf_skb_load_bytes(packet, sizeof(struct ethhdr), &ip, sizeof(ip)) == 0) {
    class = class_of_dscp(ip.tos >> 2);
    if (class == BEST_EFFORT && (ip.protocol == IPPROTO_TCP || ip.protocol == IPPROTO_UDP))
      class = class_of_port(packet, sizeof(struct ethhdr) + (ip.version_and_length & 0xf) * 4);
  }

  packet->priority = class;
  __u64 *count = bpf_map_lookup_elem(&classes, &class);
  if (count) *count += 1;
  return TCX_NEXT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
