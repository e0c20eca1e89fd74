#include "promise.h"

VERITY_BPF_MAY(program, integrity, "read-kernel-pointers");
VERITY_BPF_MAY(program, confidentiality, "read-kernel-pointers");
