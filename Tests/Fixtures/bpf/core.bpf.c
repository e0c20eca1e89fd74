// CO-RE relocations of several kinds, in programs and in a subprogram.
#include "vbpf.h"

struct mm_struct {
  __u64 total_vm;
} CORE;

struct task_struct {
  int pid;
  int tgid;
  struct task_struct *real_parent;
  struct mm_struct *mm;
  char comm[16];
} CORE;

struct no_such_type___here {
  int x;
} CORE;

enum bpf_map_type___kernel { BPF_MAP_TYPE_ARRAY___kernel = 1 };

static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
#define field_offset(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)

__u32 pid, tgid, parent_pid, comm_offset, task_size, exists, enum_value;

static __noinline __u32 parent(struct task_struct *task) {
  struct task_struct *up = task->real_parent;
  return up->pid;
}

SEC("tp_btf/sys_enter") int entered(__u64 *ctx) {
  struct task_struct *task = bpf_get_current_task_btf();
  pid = task->pid;
  tgid = task->tgid;
  parent_pid = parent(task);
  comm_offset = field_offset(struct task_struct, comm);
  task_size = __builtin_preserve_type_info(*(struct task_struct *)0, 1);
  exists = __builtin_preserve_type_info(*(struct no_such_type___here *)0, 0);
  enum_value = __builtin_preserve_enum_value(
      *(enum bpf_map_type___kernel *)BPF_MAP_TYPE_ARRAY___kernel, 1);
  return 0;
}

SEC("raw_tp/sys_exit") int left(struct bpf_raw_tracepoint_args *ctx) {
  struct task_struct *task = bpf_get_current_task_btf();
  __u64 pages = 0;
  struct mm_struct *mm = 0;
  bpf_probe_read_kernel(&mm, sizeof(mm), &task->mm);
  if (mm) bpf_probe_read_kernel(&pages, sizeof(pages), &mm->total_vm);
  return pages > 0;
}

char LICENSE[] SEC("license") = "GPL";
