// Fills a structure that no kernel lets programs fill.
#include "vbpf.h"

struct no_such_operations {
  __u32 (*first)(void *argument);
};

SEC("struct_ops/first")
__u32 first(__u64 *arguments) {
  (void)arguments;
  return 2;
}

SEC(".struct_ops")
struct no_such_operations unknown = {.first = (void *)first};

char LICENSE[] SEC("license") = "GPL";
