// Reads a field that no kernel has: the relocation cannot be resolved, and the instruction is reached.
#include "vbpf.h"

struct mm_struct {
  int no_such_field;
} CORE;

struct task_struct {
  struct mm_struct *mm;
} CORE;

SEC("raw_tp/sched_process_exec")
int unresolved_core(void *context) {
  (void)context;
  struct task_struct *task = bpf_get_current_task_btf();
  struct mm_struct *mm = task->mm;
  return mm ? mm->no_such_field : 0;
}

char LICENSE[] SEC("license") = "GPL";
