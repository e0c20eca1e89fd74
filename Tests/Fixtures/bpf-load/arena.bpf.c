// Has variables in an arena, memory that programs and user space share at one address.
#include "vbpf.h"

#define __arena __attribute__((address_space(1)))

struct {
  __uint(type, 33); // ARENA
  __uint(map_flags, 1 << 10); // MMAPABLE
  __uint(max_entries, 4);
} arena SEC(".maps");

int __arena first = 40;
int __arena *__arena other;
__u64 __arena numbers[600] = {[599] = 7};

SEC("xdp")
int arena_variables(struct xdp_md *frame) {
  (void)frame;
  first += 2;
  other = &first;
  return *other + (int)numbers[599];
}

char LICENSE[] SEC("license") = "GPL";
