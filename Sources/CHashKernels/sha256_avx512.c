#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define ROR(x, n) _mm512_ror_epi32(x, n)
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CH(e, f, g) _mm512_ternarylogic_epi32(e, f, g, 0xca)
#define MAJ(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0xe8)
#define ADD(x, y) _mm512_add_epi32(x, y)

// The 16 words of each lane's message block become 16 vectors with one word of every lane.
TARGET static inline void load(__m512i w[16], const uint8_t *const lanes[16], size_t offset) {
  const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
  __m512i u[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 4) {
    __m512i r0 = _mm512_shuffle_epi8(_mm512_loadu_si512(lanes[i] + offset), swap);
    __m512i r1 = _mm512_shuffle_epi8(_mm512_loadu_si512(lanes[i + 1] + offset), swap);
    __m512i r2 = _mm512_shuffle_epi8(_mm512_loadu_si512(lanes[i + 2] + offset), swap);
    __m512i r3 = _mm512_shuffle_epi8(_mm512_loadu_si512(lanes[i + 3] + offset), swap);
    __m512i t0 = _mm512_unpacklo_epi32(r0, r1), t1 = _mm512_unpackhi_epi32(r0, r1);
    __m512i t2 = _mm512_unpacklo_epi32(r2, r3), t3 = _mm512_unpackhi_epi32(r2, r3);
    u[i] = _mm512_unpacklo_epi64(t0, t2);
    u[i + 1] = _mm512_unpackhi_epi64(t0, t2);
    u[i + 2] = _mm512_unpacklo_epi64(t1, t3);
    u[i + 3] = _mm512_unpackhi_epi64(t1, t3);
  }
  // Quarter q of u[4i + c] holds word 4q + c of lanes 4i to 4i + 3.
#pragma clang loop unroll(full)
  for (int c = 0; c < 4; c++) {
    __m512i v0 = _mm512_shuffle_i32x4(u[c], u[4 + c], 0x88), v1 = _mm512_shuffle_i32x4(u[c], u[4 + c], 0xdd);
    __m512i v2 = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0x88), v3 = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0xdd);
    w[c] = _mm512_shuffle_i32x4(v0, v2, 0x88);
    w[4 + c] = _mm512_shuffle_i32x4(v1, v3, 0x88);
    w[8 + c] = _mm512_shuffle_i32x4(v0, v2, 0xdd);
    w[12 + c] = _mm512_shuffle_i32x4(v1, v3, 0xdd);
  }
}

TARGET void vb_sha256_compress_avx512(uint32_t state[128], const uint8_t *const lanes[16], size_t blocks) {
  __m512i s[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) s[i] = _mm512_loadu_si512(state + 16 * i);
  for (size_t block = 0; block < blocks; block++) {
    __m512i w[16];
    load(w, lanes, block * 64);
    __m512i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
#pragma clang loop unroll(full)
    for (int i = 0; i < 64; i++) {
      if (i >= 16) {
        __m512i w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];
        __m512i s0 = XOR3(ROR(w1, 7), ROR(w1, 18), _mm512_srli_epi32(w1, 3));
        __m512i s1 = XOR3(ROR(w14, 17), ROR(w14, 19), _mm512_srli_epi32(w14, 10));
        w[i & 15] = ADD(ADD(w[i & 15], s0), ADD(w[(i + 9) & 15], s1));
      }
      __m512i kw = ADD(w[i & 15], _mm512_set1_epi32((int)vb_sha256_k[i]));
      __m512i t1 = ADD(ADD(h, kw), ADD(XOR3(ROR(e, 6), ROR(e, 11), ROR(e, 25)), CH(e, f, g)));
      __m512i t2 = ADD(XOR3(ROR(a, 2), ROR(a, 13), ROR(a, 22)), MAJ(a, b, c));
      h = g, g = f, f = e, e = ADD(d, t1), d = c, c = b, b = a, a = ADD(t1, t2);
    }
    s[0] = ADD(s[0], a), s[1] = ADD(s[1], b), s[2] = ADD(s[2], c), s[3] = ADD(s[3], d);
    s[4] = ADD(s[4], e), s[5] = ADD(s[5], f), s[6] = ADD(s[6], g), s[7] = ADD(s[7], h);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) _mm512_storeu_si512(state + 16 * i, s[i]);
}
#endif
