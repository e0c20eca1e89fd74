#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1")))

// Two messages interleaved: one alone waits for the latency of sha256rnds2 most of the time.
TARGET void vb_sha256_compress_shani(uint32_t state[16], const uint8_t *const lanes[2], size_t blocks) {
  const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m128i abef[2], cdgh[2];
#pragma clang loop unroll(full)
  for (int l = 0; l < 2; l++) {
    const uint32_t *s = state + l;
    abef[l] = _mm_set_epi32((int)s[0], (int)s[2], (int)s[8], (int)s[10]);
    cdgh[l] = _mm_set_epi32((int)s[4], (int)s[6], (int)s[12], (int)s[14]);
  }
  for (size_t block = 0; block < blocks; block++) {
    __m128i m[2][4], first[2] = {abef[0], abef[1]}, second[2] = {cdgh[0], cdgh[1]};
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      __m128i k = _mm_loadu_si128((const __m128i *)(vb_sha256_k + 4 * i));
#pragma clang loop unroll(full)
      for (int l = 0; l < 2; l++) {
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
#pragma clang loop unroll(full)
    for (int l = 0; l < 2; l++) {
      abef[l] = _mm_add_epi32(abef[l], first[l]);
      cdgh[l] = _mm_add_epi32(cdgh[l], second[l]);
    }
  }
#pragma clang loop unroll(full)
  for (int l = 0; l < 2; l++) {
    uint32_t *s = state + l;
    s[0] = (uint32_t)_mm_extract_epi32(abef[l], 3), s[2] = (uint32_t)_mm_extract_epi32(abef[l], 2);
    s[8] = (uint32_t)_mm_extract_epi32(abef[l], 1), s[10] = (uint32_t)_mm_extract_epi32(abef[l], 0);
    s[4] = (uint32_t)_mm_extract_epi32(cdgh[l], 3), s[6] = (uint32_t)_mm_extract_epi32(cdgh[l], 2);
    s[12] = (uint32_t)_mm_extract_epi32(cdgh[l], 1), s[14] = (uint32_t)_mm_extract_epi32(cdgh[l], 0);
  }
}
#endif
