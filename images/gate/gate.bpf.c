// The gate: the kernel refuses a load of a BPF program that no row admits.
//
//   gate_devices      what dm-verity announced of its devices, and what user space seeded
//   gate_executables  files of such devices, and what the processes that run them may load
//   gate_digests      instructions that may be loaded, before and after CO-RE
//   gate_scopes       kinds of programs that may be loaded, with the helpers that they may call
//   gate_events       what was decided
//
// Kernel memory is read by loads that cannot fault, so that no program needs bpf_probe_read_kernel, which
// lockdown=confidentiality forbids.
#include "include/devices.h"
#include "include/load.h"
#include "include/protect.h"

char LICENSE[] SEC("license") = "GPL";
