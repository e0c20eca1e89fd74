#include "promise.h"

VERITY_BPF_MAY(program, integrity, "nothing");
