// A function with a parameter without a name, which is correct C23, and which the kernel's check of types refuses.
#include "vbpf.h"

#pragma clang diagnostic ignored "-Weverything"
static __attribute__((noinline)) int add(int, int number) {
  asm volatile("");
  return number + 1;
}

SEC("xdp")
int unnamed(struct xdp_md *context) {
  return add(1, context->rx_queue_index);
}

char _license[] SEC("license") = "GPL";
