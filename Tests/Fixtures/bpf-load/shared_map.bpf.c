// A map that several objects share by its name.
#include "vbpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 4);
  __uint(pinning, 1);
} shared SEC(".maps");

SEC("xdp")
int counts(struct xdp_md *context) {
  (void)context;
  __u32 key = 0;
  __u64 *count = bpf_map_lookup_elem(&shared, &key);
  if (count) __sync_fetch_and_add(count, 1);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
