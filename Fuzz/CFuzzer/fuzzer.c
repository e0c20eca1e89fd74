#include "CFuzzer.h"

static vb_mutator chosen;

void vb_fuzz_mutate_by(vb_mutator mutator) { chosen = mutator; }

// libFuzzer finds a function of this name when it is linked.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
  return chosen ? chosen(data, size, capacity, seed) : LLVMFuzzerMutate(data, size, capacity);
}
