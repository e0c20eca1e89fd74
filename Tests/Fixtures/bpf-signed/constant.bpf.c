// What it answers is a constant, which the signature over the instructions says nothing of.
#include "vbpf.h"

volatile const __u32 step = 0x11223344;

SEC("socket")
int constant(void *context) {
  (void)context;
  return step & 0xff;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
