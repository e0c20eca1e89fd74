// Every kind of map definition that libbpf 1.1 can also write into a light skeleton.
#include "vbpf.h"

#define __array(name, value) typeof(value) *name[]

struct pair {
  __u32 left, right;
};
struct prefix {
  __u32 length;
  __u32 address;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 100);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct pair);
  __type(value, __u64[3]);
} by_type SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __uint(key_size, 7);
  __uint(value_size, 11);
} by_size SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 10);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, __u32);
} routes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 10);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64);
  __type(value, __u32);
} flat_routes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 5000);
} events SEC(".maps");

struct {
  __uint(type, 4);  // PERF_EVENT_ARRAY
  __uint(key_size, 4);
  __uint(value_size, 4);
} perf SEC(".maps");

struct {
  __uint(type, 30);  // BLOOM_FILTER
  __uint(max_entries, 100);
  __type(value, __u32);
  __uint(map_extra, 3);
} bloom SEC(".maps");

struct {
  __uint(type, 22);  // QUEUE
  __uint(max_entries, 8);
  __type(value, __u64);
} queue SEC(".maps");

struct inner {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u64);
};
struct inner inner_a SEC(".maps");
struct inner inner_b SEC(".maps");

struct {
  __uint(type, 12);  // ARRAY_OF_MAPS
  __uint(max_entries, 4);
  __type(key, __u32);
  __array(values, struct inner);
} outer SEC(".maps") = {.values = {[3] = &inner_b, [1] = &inner_a}};

SEC("xdp") int start(struct xdp_md *ctx) {
  __u32 slot = 1;
  void *map = bpf_map_lookup_elem(&outer, &slot);
  if (map) {
    __u64 *value = bpf_map_lookup_elem(map, &slot);
    if (value) *value = 1;
  }
  struct pair pair = {1, 2};
  bpf_map_delete_elem(&by_type, &pair);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
