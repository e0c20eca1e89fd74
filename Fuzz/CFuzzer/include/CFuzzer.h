// libFuzzer for a program that brings its own main (compiler-rt, FuzzerInterface.h).
#ifndef VERITY_BPF_CFUZZER_H
#define VERITY_BPF_CFUZZER_H
#include <stddef.h>
#include <stdint.h>

/// Runs libFuzzer with its command line. It calls `one` with every input.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

/// libFuzzer's own changes, the words of the dictionary among them; returns the new size, `capacity` at most.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

/// Changes an input in place; returns its new size, `capacity` at most.
typedef size_t (*vb_mutator)(uint8_t *data, size_t size, size_t capacity, unsigned seed);

/// Has libFuzzer change inputs by this function in place of its own.
void vb_fuzz_mutate_by(vb_mutator mutator);
#endif
