#include "programs.h"

ONE("kprobe.multi/vfs_read")
