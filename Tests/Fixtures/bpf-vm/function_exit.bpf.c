// Counts calls of getppid(2).
#include "vbpf.h"

__u64 hits;

SEC("fexit/__x64_sys_getppid")
int count(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
