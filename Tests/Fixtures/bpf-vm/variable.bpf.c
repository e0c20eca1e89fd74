// Reads a variable of the kernel by its type: the run queue of the first processor.
#include "vbpf.h"

#define __ksym __attribute__((section(".ksyms")))

struct rq {
  int cpu;
} CORE;

extern const struct rq runqueues __ksym;

static void *(*const bpf_per_cpu_ptr)(const void *variable, __u32 cpu) = (void *)153;

__u64 seen;

SEC("raw_tp/sched_process_exec")
int read_variable(void *context) {
  (void)context;
  struct rq *queue = bpf_per_cpu_ptr(&runqueues, 0);
  if (queue) seen = 1000 + queue->cpu;
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
