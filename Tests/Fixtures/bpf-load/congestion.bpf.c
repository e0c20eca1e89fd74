// Two TCP congestion controls that do next to nothing: one registered by its map, one by a link.
#include "vbpf.h"

// The kernel knows a congestion control by its name: tests that run at the same time give names of their own.
#ifndef PREFIX
#define PREFIX vbpf
#endif
#define TEXT(word) #word
#define NAME(prefix, rest) TEXT(prefix) rest

struct sock;

// Members in another order than the kernel's, and one that no kernel has.
struct tcp_congestion_ops {
  char name[16];
  __u32 (*ssthresh)(struct sock *sk);
  void (*no_such_member)(void);
  void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
  __u32 (*undo_cwnd)(struct sock *sk);
};

SEC("struct_ops/ssthresh")
__u32 plain_ssthresh(__u64 *arguments) {
  (void)arguments;
  return 2;
}

SEC("struct_ops/cong_avoid")
void plain_avoid(__u64 *arguments) {
  (void)arguments;
}

SEC("struct_ops/undo_cwnd")
__u32 plain_undo(__u64 *arguments) {
  (void)arguments;
  return 10;
}

SEC(".struct_ops")
struct tcp_congestion_ops by_map = {
    .name = NAME(PREFIX, "_by_map"),
    .ssthresh = (void *)plain_ssthresh,
    .cong_avoid = (void *)plain_avoid,
    .undo_cwnd = (void *)plain_undo,
};

SEC(".struct_ops.link")
struct tcp_congestion_ops by_link = {
    .name = NAME(PREFIX, "_by_link"),
    .ssthresh = (void *)plain_ssthresh,
    .cong_avoid = (void *)plain_avoid,
    .undo_cwnd = (void *)plain_undo,
};

char LICENSE[] SEC("license") = "GPL";
