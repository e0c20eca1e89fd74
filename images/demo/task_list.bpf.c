// Lists the tasks of the system as text, one a line: process, thread, parent and command, as the kernel sees them
// and not as /proc shows them. Reading the pinned iterator gives a new list.
#include "vbpf.h"

struct seq_file;

struct bpf_iter_meta {
  struct seq_file *seq;
  __u64 session_id;
  __u64 seq_num;
} CORE;

struct task_struct {
  int pid;
  int tgid;
  struct task_struct *real_parent;
  char comm[16];
} CORE;

struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
} CORE;

static const char title[] = " process   thread   parent  command\n";
static const char line[] = "%8d %8d %8d  %s\n";

SEC("iter/task")
int task_list(struct bpf_iter__task *context) {
  struct seq_file *output = context->meta->seq;
  struct task_struct *task = context->task;
  if (!task) return 0;

  if (context->meta->seq_num == 0) bpf_seq_printf(output, title, sizeof(title), NULL, 0);
  __u64 fields[] = {task->tgid, task->pid, task->real_parent->tgid, (__u64)task->comm};
  bpf_seq_printf(output, line, sizeof(line), fields, sizeof(fields));
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
