// Calls functions of the kernel (kfuncs), and one that no kernel has only where there is one.
#include "vbpf.h"

#define __ksym __attribute__((section(".ksyms")))
#define __weak __attribute__((weak))

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void no_such_function(void) __ksym __weak;

struct task_struct {
  int tgid;
  struct task_struct *real_parent;
} CORE;

__u64 parent;

SEC("raw_tp/sched_process_exec")
int kernel_function(void *context) {
  (void)context;
  struct task_struct *task = bpf_get_current_task_btf();
  if (no_such_function) no_such_function();
  bpf_rcu_read_lock();
  parent = task->real_parent->tgid;
  bpf_rcu_read_unlock();
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
