#include "programs.h"

ONE("tp_btf/sched_switch")
