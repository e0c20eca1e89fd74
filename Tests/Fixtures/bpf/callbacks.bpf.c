// Callbacks given by address, strings in .rodata.str1.1, and subprograms that call each other in a diamond.
#include "vbpf.h"

static long (*const bpf_for_each_map_elem)(void *map, void *callback, void *context, __u64 flags) = (void *)164;
static long (*const bpf_loop)(__u32 count, void *callback, void *context, __u64 flags) = (void *)181;
static long (*const bpf_strncmp)(const char *left, __u32 size, const char *right) = (void *)182;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16);
  __type(key, __u32);
  __type(value, __u64);
} table SEC(".maps");

__u64 sum;
char name[16] = "packet";

static __noinline __u64 leaf(__u64 x) { return sum += x; }
static __noinline __u64 left(__u64 x) { return leaf(x + 1); }
static __noinline __u64 right(__u64 x) { return leaf(x + 2) + left(x); }

static long each(void *map, const __u32 *key, __u64 *value, void *context) {
  sum += *value;
  return 0;
}

static long step(__u32 index, __u64 *context) {
  *context += left(index);
  return 0;
}

SEC("tc") int classify(struct __sk_buff *skb) {
  __u64 local = 0;
  bpf_for_each_map_elem(&table, each, 0, 0);
  bpf_loop(4, step, &local, 0);
  if (bpf_strncmp(name, sizeof(name), "packet") == 0) local += right(skb->len);
  return local & 1;
}

SEC("tc") int classify_again(struct __sk_buff *skb) { return right(skb->len) + left(2) == 0; }

char LICENSE[] SEC("license") = "Dual BSD/GPL";
