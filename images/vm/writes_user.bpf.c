#include "programs.h"

ONE("raw_tp/sched_switch", char byte = 0; probe_write_user(context, &byte, 1))
