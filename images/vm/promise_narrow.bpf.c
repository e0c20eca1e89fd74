#include "promise.h"

VERITY_BPF_MAY(program, integrity, "read-user");
VERITY_BPF_MAY(program, confidentiality, "nothing");
