// Insists on a symbol that no kernel has.
#include "vbpf.h"

extern const void no_such_symbol __attribute__((section(".ksyms")));

SEC("xdp")
int missing_symbol(struct xdp_md *context) {
  (void)context;
  return (__u64)&no_such_symbol >> 4 & 1;
}

char LICENSE[] SEC("license") = "GPL";
