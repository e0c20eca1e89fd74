#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <sys/syscall.h>
#include <unistd.h>

int vb_bpf(unsigned command, void *attributes, unsigned size) {
  return (int)syscall(SYS_bpf, command, attributes, size);
}
