#include "programs.h"

ONE("socket")
