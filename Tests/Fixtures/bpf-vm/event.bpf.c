// Counts programs that are started.
#include "vbpf.h"

__u64 hits;

SEC("tp/sched/sched_process_exec")
int count(void *context) {
  (void)context;
  __sync_fetch_and_add(&hits, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
