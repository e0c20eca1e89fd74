// Replaces functions of the kernel.
#include "vbpf.h"

struct tcp_congestion_ops {
  __u32 (*ssthresh)(void *socket);
  char name[16];
};

SEC("struct_ops/ssthresh")
__u32 ssthresh(__u64 *arguments) {
  (void)arguments;
  return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops refused = {.ssthresh = (void *)ssthresh, .name = "refused"};

char LICENSE[] SEC("license") = "GPL";
