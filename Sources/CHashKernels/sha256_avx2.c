#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define ROR(x, n) _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))
#define XOR(x, y) _mm256_xor_si256(x, y)
#define XOR3(x, y, z) XOR(x, XOR(y, z))
#define CH(e, f, g) XOR(g, _mm256_and_si256(e, XOR(f, g)))
#define MAJ(a, b, c) _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)))
#define ADD(x, y) _mm256_add_epi32(x, y)

// Eight words of each lane's message block become eight vectors with one word of every lane.
TARGET static inline void load(__m256i w[8], const uint8_t *const lanes[8], size_t offset) {
  const __m256i swap = _mm256_broadcastsi128_si256(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
  __m256i u[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 4) {
    __m256i r0 = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(lanes[i] + offset)), swap);
    __m256i r1 = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(lanes[i + 1] + offset)), swap);
    __m256i r2 = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(lanes[i + 2] + offset)), swap);
    __m256i r3 = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(lanes[i + 3] + offset)), swap);
    __m256i t0 = _mm256_unpacklo_epi32(r0, r1), t1 = _mm256_unpackhi_epi32(r0, r1);
    __m256i t2 = _mm256_unpacklo_epi32(r2, r3), t3 = _mm256_unpackhi_epi32(r2, r3);
    u[i] = _mm256_unpacklo_epi64(t0, t2);
    u[i + 1] = _mm256_unpackhi_epi64(t0, t2);
    u[i + 2] = _mm256_unpacklo_epi64(t1, t3);
    u[i + 3] = _mm256_unpackhi_epi64(t1, t3);
  }
  // Half q of u[4i + c] holds word 4q + c of lanes 4i to 4i + 3.
#pragma clang loop unroll(full)
  for (int c = 0; c < 4; c++) {
    w[c] = _mm256_permute2x128_si256(u[c], u[4 + c], 0x20);
    w[4 + c] = _mm256_permute2x128_si256(u[c], u[4 + c], 0x31);
  }
}

TARGET void vb_sha256_compress_avx2(uint32_t state[64], const uint8_t *const lanes[8], size_t blocks) {
  __m256i s[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) s[i] = _mm256_loadu_si256((const __m256i *)(state + 8 * i));
  for (size_t block = 0; block < blocks; block++) {
    __m256i w[16];
    load(w, lanes, block * 64);
    load(w + 8, lanes, block * 64 + 32);
    __m256i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
#pragma clang loop unroll(full)
    for (int i = 0; i < 64; i++) {
      if (i >= 16) {
        __m256i w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];
        __m256i s0 = XOR3(ROR(w1, 7), ROR(w1, 18), _mm256_srli_epi32(w1, 3));
        __m256i s1 = XOR3(ROR(w14, 17), ROR(w14, 19), _mm256_srli_epi32(w14, 10));
        w[i & 15] = ADD(ADD(w[i & 15], s0), ADD(w[(i + 9) & 15], s1));
      }
      __m256i kw = ADD(w[i & 15], _mm256_set1_epi32((int)vb_sha256_k[i]));
      __m256i t1 = ADD(ADD(h, kw), ADD(XOR3(ROR(e, 6), ROR(e, 11), ROR(e, 25)), CH(e, f, g)));
      __m256i t2 = ADD(XOR3(ROR(a, 2), ROR(a, 13), ROR(a, 22)), MAJ(a, b, c));
      h = g, g = f, f = e, e = ADD(d, t1), d = c, c = b, b = a, a = ADD(t1, t2);
    }
    s[0] = ADD(s[0], a), s[1] = ADD(s[1], b), s[2] = ADD(s[2], c), s[3] = ADD(s[3], d);
    s[4] = ADD(s[4], e), s[5] = ADD(s[5], f), s[6] = ADD(s[6], g), s[7] = ADD(s[7], h);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) _mm256_storeu_si256((__m256i *)(state + 8 * i), s[i]);
}
#endif
