// Counts files that are opened.
#include "vbpf.h"

__u64 hits;

SEC("fexit/security_file_open")
int count(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
