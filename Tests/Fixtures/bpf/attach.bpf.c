// One program a section, to read types and attach targets from.
#include "vbpf.h"

SEC("kprobe/do_exit") int kprobe(void *ctx) { return 0; }
SEC("uprobe.s//bin/sh:main") int uprobe(void *ctx) { return 0; }
SEC("tracepoint/sched/sched_switch") int tracepoint(void *ctx) { return 0; }
SEC("raw_tp.w/bpf_testmod") int writable(void *ctx) { return 0; }
SEC("fentry/do_exit") int enter(__u64 *ctx) { return 0; }
SEC("fexit.s/do_exit") int leave(__u64 *ctx) { return 0; }
SEC("fmod_ret/nf_conntrack:hook") int modify(__u64 *ctx) { return 0; }
SEC("lsm.s/file_open") int opened(__u64 *ctx) { return 0; }
SEC("lsm_cgroup/socket_create") int created(__u64 *ctx) { return 1; }
SEC("iter/task") int tasks(__u64 *ctx) { return 0; }
SEC("?xdp.frags/cpumap") int frags(struct xdp_md *ctx) { return XDP_PASS; }
SEC("cgroup/connect4") int connected(void *ctx) { return 1; }
SEC("syscall") int call(void *ctx) { return 0; }
SEC("cgroup_skb/egress") int egress(struct __sk_buff *skb) { return 1; }

char LICENSE[] SEC("license") = "GPL";
