// Insists on an option that no kernel has.
#include "vbpf.h"

extern int CONFIG_NO_KERNEL_HAS_THIS __attribute__((section(".kconfig")));

SEC("xdp")
int missing_option(struct xdp_md *context) {
  (void)context;
  return CONFIG_NO_KERNEL_HAS_THIS;
}

char LICENSE[] SEC("license") = "GPL";
