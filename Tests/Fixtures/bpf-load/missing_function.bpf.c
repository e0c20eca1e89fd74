// Calls a function that no kernel has.
#include "vbpf.h"

extern void no_such_function(void) __attribute__((section(".ksyms")));

SEC("xdp")
int missing_function(struct xdp_md *frame) {
  (void)frame;
  no_such_function();
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
