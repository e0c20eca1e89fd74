#include "CHashKernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <sys/platform/x86.h>

// The instruction has this polynomial and no other (Intel SDM, CRC32).
__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t remainder, const uint8_t *bytes,
                                                                   size_t size) {
  uint64_t wide = remainder;
  for (; size >= 8; bytes += 8, size -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  remainder = (uint32_t)wide;
  for (; size > 0; bytes++, size--) remainder = __builtin_ia32_crc32qi(remainder, *bytes);
  return remainder;
}
#endif

uint32_t vb_crc32c_portable(uint32_t remainder, const uint8_t *bytes, size_t size) {
  // The remainder of each value of four bits.
  static const uint32_t table[16] = {
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
  };
  for (; size > 0; bytes++, size--) {
    remainder ^= *bytes;
    remainder = remainder >> 4 ^ table[remainder & 15];
    remainder = remainder >> 4 ^ table[remainder & 15];
  }
  return remainder;
}

uint32_t vb_crc32c(uint32_t remainder, const uint8_t *bytes, size_t size) {
#if defined(__x86_64__)
  if (CPU_FEATURE_ACTIVE(SSE4_2)) return with_instruction(remainder, bytes, size);
#endif
  return vb_crc32c_portable(remainder, bytes, size);
}
