// The entry of libFuzzer for programs that bring their own main (compiler-rt, FuzzerInterface.h).
#ifndef VERITY_BPF_CFUZZER_H
#define VERITY_BPF_CFUZZER_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));
#endif
