// Asks whether types of the kernel look like these: one that has a structure in it, which the kernel does not look into,
// one that has none, and one that the kernel has otherwise.
#include "vbpf.h"

#define TYPE_MATCHES 2
#define matches(type) __builtin_preserve_type_info(*(type *)0, TYPE_MATCHES)

struct list_head {
  struct list_head *next, *prev;
};

struct task_struct___deep {
  struct list_head tasks;
} CORE;

struct task_struct___other {
  struct {
    struct list_head *no_such_member;
  } tasks;
} CORE;

struct task_struct___flat {
  int pid;
} CORE;

int deep, other, flat;

SEC("raw_tp/sys_enter")
int ask(void *context) {
  (void)context;
  deep = matches(struct task_struct___deep);
  other = matches(struct task_struct___other);
  flat = matches(struct task_struct___flat);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
