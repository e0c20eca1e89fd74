// Takes the place of a function of another program.
#include "vbpf.h"

SEC("freplace/verdict")
int answers(struct xdp_md *frame) {
  (void)frame;
  return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
