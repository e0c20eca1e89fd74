// Calls a kernel function that no kernel has, and does not ask first.
#include "vbpf.h"

extern int function_of_no_kernel(void) __attribute__((section(".ksyms"), weak));

SEC("xdp") int absent_function(void *ctx __attribute__((unused))) {
  return function_of_no_kernel();
}

char LICENSE[] SEC("license") = "GPL";
