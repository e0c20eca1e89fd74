// What the kernels share. Each takes the lanes' states word by word (word w of lane i at state[w * lanes + i]) and adds
// `blocks` consecutive 64-byte message blocks of each lane, read from that lane's pointer, at any alignment.
#ifndef VERITY_BPF_KERNELS_H
#define VERITY_BPF_KERNELS_H
#include <stddef.h>
#include <stdint.h>

extern const uint32_t vb_sha256_k[64];
extern const uint32_t vb_sha256_initial[8];

// The digest of one lane, whose words are `stride` apart.
void vb_sha256_digest(const uint32_t *state, unsigned stride, uint8_t digest[32]);

#if defined(__x86_64__)
void vb_sha256_compress_avx512(uint32_t state[128], const uint8_t *const lanes[16], size_t blocks);
void vb_sha256_compress_avx2(uint32_t state[64], const uint8_t *const lanes[8], size_t blocks);
void vb_sha256_compress_shani(uint32_t state[16], const uint8_t *const lanes[2], size_t blocks);
void vb_sha256_compress_shani4(uint32_t state[32], const uint8_t *const lanes[4], size_t blocks);
#endif

#endif
