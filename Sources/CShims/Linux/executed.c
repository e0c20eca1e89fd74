#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>

int vb_executed_file(void) {
  errno = 0;
  unsigned long number = getauxval(AT_EXECFD);
  // 0 is a descriptor's number too.
  return errno == ENOENT ? -1 : (int)number;
}

// AT_FLAGS_PRESERVE_ARGV0 of include/uapi/linux/binfmts.h.
int vb_keeps_first_word(void) { return (getauxval(AT_FLAGS) & 1) != 0; }
