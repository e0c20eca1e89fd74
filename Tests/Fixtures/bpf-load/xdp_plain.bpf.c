// A program that loads without its types.
#include "vbpf.h"

static int packets;

SEC("xdp")
int plain(struct xdp_md *context) {
  (void)context;
  packets++;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
