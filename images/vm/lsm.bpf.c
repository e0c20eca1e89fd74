#include "programs.h"

ONE("lsm/file_open")
