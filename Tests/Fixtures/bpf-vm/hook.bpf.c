// Counts opened files, at the hook of a security module.
#include "vbpf.h"

__u64 hits;

SEC("lsm/file_open")
int count(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
