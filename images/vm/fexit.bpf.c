#include "programs.h"

ONE("fexit/vfs_read")
