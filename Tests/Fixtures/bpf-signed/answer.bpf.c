// Answers 7, by the very instructions that `impostor` has.
#include "vbpf.h"

SEC("socket")
__attribute__((naked)) int answer(void) {
  asm volatile("r0 = 7 ll\nexit");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
