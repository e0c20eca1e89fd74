// A hash table, which Linux 7.3 takes from no signed program.
#include "vbpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16);
  __type(key, __u32);
  __type(value, __u64);
} table SEC(".maps");

SEC("socket")
int look(void *context) {
  __u32 key = 1;
  (void)context;
  return bpf_map_lookup_elem(&table, &key) != 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
