// More than the million instructions that the verifier looks at, in a program with a CO-RE record: E2BIG, which older
// kernels answer to records that they do not know.
#include "vbpf.h"

struct task_struct {
  int pid;
} CORE;

SEC("raw_tp/sys_enter") int too_complex(void *ctx __attribute__((unused))) {
  volatile unsigned sum = 0;
  for (unsigned i = 0; i < 400000; i++) sum += i;
  return sum & core_field_exists(((struct task_struct *)0)->pid);
}

char LICENSE[] SEC("license") = "GPL";
