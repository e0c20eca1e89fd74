// Nothing but `r0 = 0; exit`: the least that can be signed.
#include "vbpf.h"

SEC("socket")
__attribute__((naked)) int nothing(void) {
  asm volatile("r0 = 0\nexit");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
