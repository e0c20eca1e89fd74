// The instructions of `answer`, as a program of another type.
#include "vbpf.h"

SEC("xdp")
__attribute__((naked)) int answer(void) {
  asm volatile("r0 = 7 ll\nexit");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
