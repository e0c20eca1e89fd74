// A program with a function that another program may replace.
#include "vbpf.h"

__noinline int verdict(struct xdp_md *frame) {
  volatile int result = frame->rx_queue_index > 1000 ? XDP_DROP : XDP_PASS;
  return result;
}

SEC("xdp")
int asks(struct xdp_md *frame) {
  return verdict(frame);
}

char LICENSE[] SEC("license") = "GPL";
