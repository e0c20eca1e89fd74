#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SHA "sha,sse4.1"
#define UPPER_REGISTERS SHA ",avx512f,avx512vl,avx512bw"
// Keeps a value in 128 bits. Where the compiler pairs the states of two streams in 256-bit registers, each of the SHA
// instructions, which have no VEX form, costs an Intel processor some 50 cycles for the upper halves: a hundredth of the speed.
#define KEEP_NARROW(value) __asm__("" : "+x"(value))
// The addition that ends a block; an intrinsic would be paired with the next stream's.
#define ADD(to, value) __asm__("paddd %1, %0" : "+x"(to) : "x"(value))
#define EACH_STREAM _Pragma("clang loop unroll(full)") for (int l = 0; l < streams; l++)

// Messages interleaved: sha256rnds2 waits four cycles for its own result, and the unit could begin another each cycle.
// `streams` is a constant wherever this is inlined, so that everything below stays in registers.
__attribute__((target(SHA), always_inline)) static inline void compress(uint32_t *state, const uint8_t *const *lanes,
                                                                        size_t blocks, const int streams) {
  const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m128i abef[4], cdgh[4];
  EACH_STREAM {
    const uint32_t *s = state + l;
    abef[l] = _mm_set_epi32((int)s[0], (int)s[streams], (int)s[4 * streams], (int)s[5 * streams]);
    KEEP_NARROW(abef[l]);
    cdgh[l] = _mm_set_epi32((int)s[2 * streams], (int)s[3 * streams], (int)s[6 * streams], (int)s[7 * streams]);
    KEEP_NARROW(cdgh[l]);
  }
  for (size_t block = 0; block < blocks; block++) {
    __m128i m[4][4], first[4], second[4];
    EACH_STREAM first[l] = abef[l], second[l] = cdgh[l];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      __m128i k = _mm_loadu_si128((const __m128i *)(vb_sha256_k + 4 * i));
      EACH_STREAM {
        if (i < 4) {
          const __m128i *from = (const __m128i *)(lanes[l] + block * 64 + 16 * (size_t)i);
          m[l][i] = _mm_shuffle_epi8(_mm_loadu_si128(from), swap);
        }
        __m128i kw = _mm_add_epi32(m[l][i & 3], k);
        cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], kw);
        abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(kw, 0x0e));
        if (i >= 3 && i < 15) {
          // The next four words of the schedule take the place of the oldest four.
          __m128i next = _mm_sha256msg1_epu32(m[l][(i + 1) & 3], m[l][(i + 2) & 3]);
          next = _mm_add_epi32(next, _mm_alignr_epi8(m[l][i & 3], m[l][(i + 3) & 3], 4));
          m[l][(i + 1) & 3] = _mm_sha256msg2_epu32(next, m[l][i & 3]);
        }
      }
    }
    EACH_STREAM {
      ADD(abef[l], first[l]);
      ADD(cdgh[l], second[l]);
    }
  }
  EACH_STREAM {
    uint32_t *s = state + l;
    s[0] = (uint32_t)_mm_extract_epi32(abef[l], 3), s[streams] = (uint32_t)_mm_extract_epi32(abef[l], 2);
    s[4 * streams] = (uint32_t)_mm_extract_epi32(abef[l], 1), s[5 * streams] = (uint32_t)_mm_extract_epi32(abef[l], 0);
    s[2 * streams] = (uint32_t)_mm_extract_epi32(cdgh[l], 3), s[3 * streams] = (uint32_t)_mm_extract_epi32(cdgh[l], 2);
    s[6 * streams] = (uint32_t)_mm_extract_epi32(cdgh[l], 1), s[7 * streams] = (uint32_t)_mm_extract_epi32(cdgh[l], 0);
  }
}

__attribute__((target(SHA))) void vb_sha256_compress_shani(uint32_t state[16], const uint8_t *const lanes[2],
                                                           size_t blocks) {
  compress(state, lanes, blocks, 2);
}

// The SHA extensions reach sixteen registers, which four streams fill with half of what they need. AVX-512 has sixteen
// more: the message words live there and cost a move, which the processor does by renaming, and not a store and a load.
__attribute__((target(UPPER_REGISTERS))) void vb_sha256_compress_shani4(uint32_t state[32], const uint8_t *const lanes[4],
                                                                        size_t blocks) {
  compress(state, lanes, blocks, 4);
}
#endif
