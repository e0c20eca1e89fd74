#include "promise.h"

VERITY_BPF_MAY(program, integrity, "read-kernel-pointers probe");
VERITY_BPF_MAY(program, confidentiality, "nothing");
