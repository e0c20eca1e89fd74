// Reports every program that is started.
//
//   events   a ring buffer: who started it, its pid, its arguments
//   starts   how often each command was started lately; the least recently started are forgotten
//   .bss     how many starts were not reported because nobody read the ring buffer in time
//
// Kernel fields are read by plain loads through BTF pointers and the arguments from user memory, so the program
// needs neither bpf_probe_read_kernel nor any other helper that lockdown=confidentiality forbids.
#include "vbpf.h"

struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
} CORE;

struct task_struct {
  int tgid;
  struct task_struct *real_parent;
  struct mm_struct *mm;
} CORE;

// The record in the ring buffer.
struct exec_event {
  __u32 pid;
  __u32 parent;
  __u32 uid;
  __u32 argument_bytes;  // how many bytes of `arguments` are meant
  char command[16];
  char arguments[128];  // the start of argv, each argument ended by NUL
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 65536);
} events SEC(".maps");

struct command {
  char name[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct command);
  __type(value, __u64);
} starts SEC(".maps");

__u64 lost;

static __always_inline void count_start(void) {
  struct command command = {};
  bpf_get_current_comm(&command, sizeof(command));
  __u64 *count = bpf_map_lookup_elem(&starts, &command);
  if (count) {
    __sync_fetch_and_add(count, 1);
    return;
  }
  __u64 one = 1;
  bpf_map_update_elem(&starts, &command, &one, BPF_ANY);
}

SEC("raw_tp/sched_process_exec")
int exec_logger(struct bpf_raw_tracepoint_args *context) {
  (void)context;  // its task is the current one
  count_start();
  struct exec_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return 0;
  }

  struct task_struct *task = bpf_get_current_task_btf();
  event->pid = task->tgid;
  event->parent = task->real_parent->tgid;
  event->uid = (__u32)bpf_get_current_uid_gid();
  bpf_get_current_comm(event->command, sizeof(event->command));

  struct mm_struct *mm = task->mm;
  unsigned long start = 0;
  __u64 bytes = 0;
  if (mm) {
    start = mm->arg_start;
    bytes = mm->arg_end - start;
  }
  if (bytes > sizeof(event->arguments)) bytes = sizeof(event->arguments);
  if (bpf_probe_read_user(event->arguments, bytes, (void *)start) != 0) bytes = 0;
  event->argument_bytes = bytes;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
