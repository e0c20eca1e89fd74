// The instructions of `answer`, and a CO-RE record that has the kernel put another number into them: its own value of
// BPF_PROG_TYPE_KPROBE, which is 2.
#include "vbpf.h"

enum bpf_prog_type {
  BPF_PROG_TYPE_KPROBE = 7,
};

SEC("socket")
int answer(void *context) {
  (void)context;
  return __builtin_preserve_enum_value(*(enum bpf_prog_type *)BPF_PROG_TYPE_KPROBE, 1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
