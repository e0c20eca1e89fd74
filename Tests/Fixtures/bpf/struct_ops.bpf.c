// A TCP congestion control that does nothing, in its own member order.
#include "vbpf.h"

struct sock;

struct tcp_congestion_ops___ours {
  __u32 (*ssthresh)(struct sock *sk);
  char name[16];
  void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
  void (*no_such_member)(void);
  __u32 (*undo_cwnd)(struct sock *sk);
};

SEC("struct_ops/ssthresh") __u32 vbpf_ssthresh(__u64 *ctx) { return 2; }
SEC("struct_ops/cong_avoid") void vbpf_cong_avoid(__u64 *ctx) {}
SEC("struct_ops/undo_cwnd") __u32 vbpf_undo_cwnd(__u64 *ctx) { return 10; }

SEC(".struct_ops") struct tcp_congestion_ops___ours vbpf_tcp = {
    .undo_cwnd = (void *)vbpf_undo_cwnd,
    .ssthresh = (void *)vbpf_ssthresh,
    .cong_avoid = (void *)vbpf_cong_avoid,
    .name = "vbpf_test",
};

char LICENSE[] SEC("license") = "GPL";
