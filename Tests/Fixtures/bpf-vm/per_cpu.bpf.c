// Variables of which each processor has its own.
#include "vbpf.h"

__u32 answer SEC(".percpu") = XDP_DROP;

SEC("xdp")
int answers(struct xdp_md *frame) {
  return frame->rx_queue_index > 1000 ? XDP_PASS : answer;
}

char LICENSE[] SEC("license") = "GPL";
