// Reads a packet without looking where it ends, which the verifier refuses.
#include "vbpf.h"

SEC("xdp")
int refused(struct xdp_md *frame) {
  __u8 *first = (void *)(long)frame->data;
  return *first == 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
