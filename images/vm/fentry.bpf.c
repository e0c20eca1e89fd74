#include "programs.h"

ONE("fentry/vfs_read")
