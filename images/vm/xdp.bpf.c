#include "programs.h"

ONE("xdp")
