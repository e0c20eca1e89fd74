#include "programs.h"

ONE("kprobe/vfs_read")
