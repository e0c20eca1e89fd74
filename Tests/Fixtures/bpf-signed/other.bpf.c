// Instructions that nobody signed, under a name that somebody did.
#include "vbpf.h"

SEC("socket")
__attribute__((naked)) int answer(void) {
  asm volatile("r0 = 8 ll\nexit");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
