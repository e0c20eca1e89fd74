// What libbpf 1.1 leaves out of light skeletons: a program array with initial contents, and pinning.
#include "vbpf.h"

#define __array(name, value) typeof(value) *name[]
static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
  __uint(pinning, 1);
} pinned SEC(".maps");

int tail_one(struct xdp_md *ctx);
int tail_two(struct xdp_md *ctx);

struct {
  __uint(type, 3);  // PROG_ARRAY
  __uint(max_entries, 3);
  __uint(key_size, 4);
  __array(values, int(void *));
} tails SEC(".maps") = {.values = {[0] = (void *)&tail_one, [2] = (void *)&tail_two}};

SEC("xdp") int tail_one(struct xdp_md *ctx) { return XDP_DROP; }
SEC("xdp") int tail_two(struct xdp_md *ctx) { return XDP_TX; }

SEC("xdp") int start(struct xdp_md *ctx) {
  __u32 key = 0;
  __u64 *value = bpf_map_lookup_elem(&pinned, &key);
  if (value) *value = 1;
  bpf_tail_call(ctx, &tails, 2);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
