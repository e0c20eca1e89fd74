// Needs a kernel function, a kernel variable or a configuration value, by the macro that is set.
#include "vbpf.h"

#define __ksym SEC(".ksyms")
#define __kconfig SEC(".kconfig")

#ifdef KFUNC
struct task_struct;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
SEC("syscall") int probe(void *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 1;
  bpf_task_release(task);
  return 0;
}
#endif
#ifdef KSYM
extern const void jiffies_64 __ksym;
SEC("syscall") int probe(void *ctx) { return (long)&jiffies_64 != 7; }
#endif
#ifdef KCONFIG
extern int LINUX_KERNEL_VERSION __kconfig;
SEC("syscall") int probe(void *ctx) { return LINUX_KERNEL_VERSION > 0; }
#endif

char LICENSE[] SEC("license") = "GPL";
