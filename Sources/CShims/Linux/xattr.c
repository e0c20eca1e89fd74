#include "CLinuxShim.h"

#include <sys/xattr.h>

long vb_getxattr(const char *path, const char *name, void *value, unsigned long size) {
  return getxattr(path, name, value, size);
}
