// One program that is attached to a function of a file, which an option names.
#include "vbpf.h"

__u64 hits;

SEC("uprobe")
int on_call(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
