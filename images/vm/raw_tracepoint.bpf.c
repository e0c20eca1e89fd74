#include "programs.h"

ONE("raw_tp/sched_switch")
