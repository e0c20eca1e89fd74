// The next version of replaced.bpf.c, with another structure of the same size in its map.
#define SECOND refused
#include "replaced.bpf.c"
