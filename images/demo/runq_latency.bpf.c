// How long runnable tasks wait for a processor: a histogram of the time between wake-up and running.
//
//   waiting      since when each runnable task waits (nanoseconds since boot)
//   histogram    slot n counts waits of 2^n up to 2^(n+1) microseconds; slot 0 also those below one
#include "vbpf.h"

#define SLOTS 27

struct task_struct {
  int pid;
  unsigned int __state;
} CORE;

// Before Linux 5.14 the field was called `state` and was a long.
struct task_struct___5_13 {
  volatile long state;
} CORE;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);
  __type(value, __u64);
} waiting SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, SLOTS);
  __type(key, __u32);
  __type(value, __u64);
} histogram SEC(".maps");

static __always_inline bool is_runnable(struct task_struct *task) {
  if (core_field_exists(task->__state)) return task->__state == 0;
  return ((struct task_struct___5_13 *)task)->state == 0;
}

static __noinline int starts_waiting(__u32 pid) {
  if (pid == 0) return 0;  // the idle task never waits
  __u64 now = bpf_ktime_get_ns();
  bpf_map_update_elem(&waiting, &pid, &now, BPF_ANY);
  return 0;
}

static __always_inline __u32 logarithm(__u64 value) {
  __u32 result = 0;
  for (int bits = 32; bits > 0; bits /= 2) {
    if (value >> bits) {
      value >>= bits;
      result += bits;
    }
  }
  return result;
}

SEC("tp_btf/sched_wakeup")
int task_woken(__u64 *arguments) {
  struct task_struct *task = (void *)arguments[0];
  return starts_waiting(task->pid);
}

SEC("tp_btf/sched_wakeup_new")
int task_created(__u64 *arguments) {
  struct task_struct *task = (void *)arguments[0];
  return starts_waiting(task->pid);
}

SEC("tp_btf/sched_switch")
int task_switched(__u64 *arguments) {
  struct task_struct *previous = (void *)arguments[1];
  struct task_struct *next = (void *)arguments[2];

  // A task that was pushed off its processor waits from now on.
  if (is_runnable(previous)) starts_waiting(previous->pid);

  __u32 pid = next->pid;
  __u64 *since = bpf_map_lookup_elem(&waiting, &pid);
  if (!since) return 0;
  __u64 waited = bpf_ktime_get_ns() - *since;
  bpf_map_delete_elem(&waiting, &pid);

  __u32 slot = logarithm(waited / 1000);
  if (slot >= SLOTS) slot = SLOTS - 1;
  __u64 *count = bpf_map_lookup_elem(&histogram, &slot);
  if (count) __sync_fetch_and_add(count, 1);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
