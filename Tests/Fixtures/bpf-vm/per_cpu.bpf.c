// Variables of which each processor has its own.
#include "vbpf.h"

__u32 answer SEC(".percpu") = XDP_DROP;

SEC("xdp")
int answers(struct xdp_md *frame) {
  return answer;
}

char LICENSE[] SEC("license") = "GPL";
