#include "programs.h"

ONE("raw_tp/sched_switch", char byte = 0; probe_read_kernel(&byte, 1, context))
