// One program an object: what lockdown makes of each kind is asked one by one (Tests/VMTests/ProgramCases.swift).
#include "vbpf.h"

#define ONE(section, ...) \
  SEC(section) int program(void *context) { \
    (void)context; \
    __VA_ARGS__; \
    return 0; \
  } \
  char LICENSE[] SEC("license") = "GPL";

// Helper 113, bpf_probe_read_kernel: what lockdown=confidentiality forbids.
static long (*const probe_read_kernel)(void *target, __u32 size, const void *source) = (void *)113;
// Helper 112, bpf_probe_read_user: what it does not.
static long (*const probe_read_user)(void *target, __u32 size, const void *source) = (void *)112;
// Helper 36, bpf_probe_write_user: what lockdown=integrity forbids.
static long (*const probe_write_user)(void *target, const void *source, __u32 size) = (void *)36;
