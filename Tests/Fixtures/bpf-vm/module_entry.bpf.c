// Watches a function of a module, which its section names.
#include "vbpf.h"

__u64 hits;

SEC("fentry/nf_conntrack:nf_conntrack_in")
int on_packet(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
