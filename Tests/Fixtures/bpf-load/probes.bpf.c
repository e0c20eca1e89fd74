// Programs that are attached to events, probes, hooks and sockets. Each counts how often it runs.
#include "vbpf.h"

__u64 hits;

struct {
  __uint(type, 18); // SOCKHASH
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} sockets SEC(".maps");

#define COUNTING(section, name, result) \
  SEC(section) int name(void *context) { \
    (void)context; \
    __sync_fetch_and_add(&hits, 1); \
    return result; \
  }

COUNTING("tp/sched/sched_process_exec", on_exec, 0)
COUNTING("tracepoint", on_any_event, 0)
COUNTING("tp/sched/no_such_event", on_no_event, 0)
COUNTING("uprobe", on_call, 0)
COUNTING("uretprobe", on_return, 0)
COUNTING("uprobe.multi", on_calls, 0)
COUNTING("uretprobe.multi", on_returns, 0)
COUNTING("perf_event", on_sample, 0)
COUNTING("netfilter", on_packet, 1)
COUNTING("sk_msg", on_message, 1)
COUNTING("sk_skb/stream_verdict", on_stream, 1)
COUNTING("kprobe/do_exit", on_function, 0)
COUNTING("ksyscall/getppid", on_system_call, 0)
COUNTING("kprobe.multi", on_functions, 0)
COUNTING("socket", on_nothing, 0)

char LICENSE[] SEC("license") = "GPL";
