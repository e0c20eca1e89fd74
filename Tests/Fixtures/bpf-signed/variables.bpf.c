// Global variables are arrays of one entry: what Linux 7.3 can check together with the instructions.
#include "vbpf.h"

__u64 calls;
volatile const __u32 step = 3;
__u8 odd = 5;

SEC("socket")
int count(void *context) {
  (void)context;
  calls += step;
  return calls + odd;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
