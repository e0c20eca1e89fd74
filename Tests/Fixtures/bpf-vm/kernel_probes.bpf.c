// Counts files that are opened.
#include "vbpf.h"

__u64 hits;

SEC("kprobe.multi/security_file_op*n")
int count(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
