// Global and static variables in every data section, static and global subprograms, two programs in one section.
#include "vbpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

static volatile __u64 hidden_counter;
__u64 total = 7;
__u64 runs;
const volatile __u32 bonus = 3;
static volatile __u32 base = 9;
__u32 clamped = 1;
__u64 tuned SEC(".data.tuned") = 5;
const volatile __u32 limits[4] SEC(".rodata.limits") = {1, 2, 3, 4};

static __noinline __u32 add(__u32 x) {
  hidden_counter += x;
  return base + x;
}

__noinline __u32 account(__u32 x) {
  total += x;
  return add(x + 1) + bonus;
}

__attribute__((visibility("hidden"))) __noinline __u32 clamp(__u32 x) {
  clamped += x;
  return x > limits[3] ? limits[3] : x;
}

SEC("xdp") int first(struct xdp_md *ctx) {
  __u32 key = 0;
  __u64 *value = bpf_map_lookup_elem(&counters, &key);
  if (value) *value += 1;
  runs++;
  tuned++;
  return account(ctx->data_end - ctx->data > 100 ? 1 : 0) & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int second(struct xdp_md *ctx) { return add(clamp(ctx->rx_queue_index)) > 4 ? XDP_PASS : XDP_DROP; }

char LICENSE[] SEC("license") = "GPL";
