// What only the first process of a test machine does.
#ifndef VERITY_BPF_CVMSUPPORT_H
#define VERITY_BPF_CVMSUPPORT_H

/// finit_module(2). Returns 0, or -1 with errno.
int vm_insert_module(int fd, const char *parameters);
/// dup2(2): programs that are started have the file under that number.
int vm_duplicate(int fd, int number);
/// Turns the machine off.
void vm_power_off(void);
/// Replaces this process by a program; returns only when that fails.
void vm_execute(const char *path, const char *argument);
#endif
