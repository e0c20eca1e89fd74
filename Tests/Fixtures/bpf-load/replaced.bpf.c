// An object of which another version takes the place: links that can be moved, one that cannot, state, constants.
// replaced_next.bpf.c is this with another value in the map.
#include "vbpf.h"

#ifndef SECOND
#define SECOND bytes
#endif

struct seen {
  __u64 packets;
  __u64 SECOND;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct seen);
} state SEC(".maps");

const volatile __u64 step = 1;
__u64 calls;

static __always_inline void count(void) {
  __u32 key = 0;
  struct seen *seen = bpf_map_lookup_elem(&state, &key);
  if (seen) __sync_fetch_and_add(&seen->packets, step);
  __sync_fetch_and_add(&calls, 1);
}

SEC("xdp")
int frames(struct xdp_md *frame) {
  (void)frame;
  count();
  return XDP_PASS;
}

SEC("tcx/ingress")
int arriving(struct __sk_buff *packet) {
  (void)packet;
  count();
  return -1;
}

SEC("raw_tp/sched_process_exec")
int executed(void *context) {
  (void)context;
  count();
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
