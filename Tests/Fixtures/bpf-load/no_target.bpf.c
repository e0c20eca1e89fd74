// Attaches to a tracepoint that no kernel has.
#include "vbpf.h"

SEC("tp_btf/no_such_tracepoint")
int no_target(__u64 *arguments) {
  return arguments[0] != 0;
}

char LICENSE[] SEC("license") = "GPL";
