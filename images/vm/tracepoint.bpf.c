#include "programs.h"

ONE("tp/sched/sched_process_exec")
