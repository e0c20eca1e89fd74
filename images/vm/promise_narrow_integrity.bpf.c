#include "promise.h"

VERITY_BPF_MAY(program, integrity, "nothing");
VERITY_BPF_MAY(program, confidentiality, "read-kernel-pointers probe");
