// Maps that hold programs and maps from the start, a map as long as there are processors, and a program that is
// loaded only when it is asked for.
#include "vbpf.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3
#define BPF_MAP_TYPE_PERF_EVENT_ARRAY 4
#define BPF_MAP_TYPE_ARRAY_OF_MAPS 12
#define __array(name, value) typeof(value) *name[]

static long (*const bpf_tail_call)(void *context, void *map, __u32 index) = (void *)12;

int second(struct xdp_md *frame);

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 3);
  __uint(key_size, 4);
  __array(values, int(struct xdp_md *));
} jumps SEC(".maps") = {.values = {[1] = &second}};

struct inner {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} held SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __array(values, struct inner);
} outer SEC(".maps") = {.values = {[2] = &held}};

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} samples SEC(".maps");

// The size of a trace is left to the loader, too (BPF_MAP_TYPE_STACK_TRACE, the second with BPF_F_STACK_BUILD_ID).
struct {
  __uint(type, 7);
  __uint(max_entries, 4);
  __uint(key_size, 4);
} traces SEC(".maps");

struct {
  __uint(type, 7);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(map_flags, 0x20);
} places SEC(".maps");

// Returns 100 when the slot is empty, and what the held program returns when it is not.
SEC("xdp")
int first(struct xdp_md *frame) {
  __u32 slot = 2, zero = 0;
  void *map = bpf_map_lookup_elem(&outer, &slot);
  if (map) {
    __u64 *value = bpf_map_lookup_elem(map, &zero);
    if (value) *value += 1;
  }
  bpf_tail_call(frame, &jumps, 1);
  return 100;
}

SEC("xdp")
int second(struct xdp_md *frame) {
  (void)frame;
  return 42;
}

SEC("?xdp")
int only_when_asked(struct xdp_md *frame) {
  __u32 zero = frame->rx_queue_index & 0;
  return bpf_map_lookup_elem(&held, &zero) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
