#include "CHashKernels.h"
#include "kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <sys/platform/x86.h>
#endif

#define MOST_LANES 16

// FIPS 180-4, 4.2.2.
const uint32_t vb_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// FIPS 180-4, 5.3.3.
const uint32_t vb_sha256_initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#if defined(__x86_64__)
// What the processor has and the operating system saves, as the C library asked when the process began. Asking again
// (CPUID) leaves a virtual machine for its host: seven of these took as long as hashing 150 KiB.
static int is_supported(int kernel) {
  switch (kernel) {
    case VB_SHA256_AVX512:
      return CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW);
    case VB_SHA256_AVX2:
      return CPU_FEATURE_ACTIVE(AVX2);
    case VB_SHA256_SHANI:
      return CPU_FEATURE_ACTIVE(SHA) && CPU_FEATURE_ACTIVE(SSE4_1) && CPU_FEATURE_ACTIVE(SSSE3);
    case VB_SHA256_SHANI4:
      return is_supported(VB_SHA256_SHANI) && is_supported(VB_SHA256_AVX512) && CPU_FEATURE_ACTIVE(AVX512VL);
    default:
      return 0;
  }
}

int vb_sha256_fastest(void) {
  static const int amd[] = {VB_SHA256_SHANI4, VB_SHA256_SHANI, VB_SHA256_AVX512, VB_SHA256_AVX2};
  static const int others[] = {VB_SHA256_AVX512, VB_SHA256_AVX2, VB_SHA256_SHANI4, VB_SHA256_SHANI};
  // Only AMD and Hygon ever had SSE4a.
  int is_amd = CPU_FEATURE_PRESENT(SSE4A);
  for (int i = 0; i < 4; i++) {
    int kernel = is_amd ? amd[i] : others[i];
    if (is_supported(kernel)) return kernel;
  }
  return -1;
}

static void compress(int kernel, uint32_t *state, const uint8_t *const *lanes, size_t blocks) {
  switch (kernel) {
    case VB_SHA256_AVX512:
      vb_sha256_compress_avx512(state, lanes, blocks);
      break;
    case VB_SHA256_AVX2:
      vb_sha256_compress_avx2(state, lanes, blocks);
      break;
    case VB_SHA256_SHANI4:
      vb_sha256_compress_shani4(state, lanes, blocks);
      break;
    default:
      vb_sha256_compress_shani(state, lanes, blocks);
  }
}
#else
static int is_supported(int kernel) { return (void)kernel, 0; }
int vb_sha256_fastest(void) { return -1; }
static void compress(int kernel, uint32_t *state, const uint8_t *const *lanes, size_t blocks) {
  (void)kernel, (void)state, (void)lanes, (void)blocks;
}
#endif

unsigned vb_sha256_lanes(int kernel) {
  static const unsigned lanes[] = {16, 8, 2, 4};
  if (kernel < 0 || kernel > VB_SHA256_SHANI4 || !is_supported(kernel)) return 0;
  return lanes[kernel];
}

void vb_sha256_digest(const uint32_t *state, unsigned stride, uint8_t digest[32]) {
  for (unsigned w = 0; w < 8; w++) {
    uint32_t word = state[w * stride];
    uint8_t *out = digest + w * 4;
    out[0] = (uint8_t)(word >> 24), out[1] = (uint8_t)(word >> 16), out[2] = (uint8_t)(word >> 8), out[3] = (uint8_t)word;
  }
}

// The 64 bytes from `start` of salt || block || padding, where they are not all in one place.
static void stage(uint8_t out[64], size_t start, const uint8_t *salt, size_t salt_size, const uint8_t *block,
                  size_t block_size, size_t padded) {
  size_t total = salt_size + block_size;
  memset(out, 0, 64);
  if (start < salt_size) memcpy(out, salt + start, salt_size - start < 64 ? salt_size - start : 64);
  size_t from = start > salt_size ? start : salt_size, to = start + 64 < total ? start + 64 : total;
  if (from < to) memcpy(out + (from - start), block + (from - salt_size), to - from);
  if (total >= start && total < start + 64) out[total - start] = 0x80;
  if (start + 64 == padded)
    for (int i = 0; i < 8; i++) out[63 - i] = (uint8_t)(((uint64_t)total * 8) >> (8 * i));
}

// Hashes `used` blocks, at most as many as there are lanes; the others repeat the last one.
static void hash_lanes(int kernel, unsigned lanes, unsigned used, const uint8_t *salt, size_t salt_size,
                       const uint8_t *blocks, size_t block_size, uint8_t *digests) {
  uint32_t state[8 * MOST_LANES];
  uint8_t staged[MOST_LANES][64];
  const uint8_t *from[MOST_LANES];
  for (unsigned w = 0; w < 8; w++)
    for (unsigned i = 0; i < lanes; i++) state[w * lanes + i] = vb_sha256_initial[w];

  const uint8_t *block[MOST_LANES];
  for (unsigned i = 0; i < lanes; i++) block[i] = blocks + (i < used ? i : used - 1) * block_size;

  size_t padded = (salt_size + block_size + 9 + 63) / 64 * 64;
  for (size_t start = 0; start < padded;) {
    size_t run = 1;
    if (start >= salt_size && start - salt_size + 64 <= block_size) {
      // The bulk: straight from the blocks.
      run = (block_size - (start - salt_size)) / 64;
      for (unsigned i = 0; i < lanes; i++) from[i] = block[i] + (start - salt_size);
    } else {
      for (unsigned i = 0; i < lanes; i++) {
        stage(staged[i], start, salt, salt_size, block[i], block_size, padded);
        from[i] = staged[i];
      }
    }
    compress(kernel, state, from, run);
    start += run * 64;
  }
  for (unsigned i = 0; i < used; i++) vb_sha256_digest(state + i, lanes, digests + i * 32);
}

int vb_sha256_blocks(int kernel, const uint8_t *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
                     size_t count, uint8_t *digests) {
  unsigned lanes = vb_sha256_lanes(kernel);
  if (lanes == 0) return -1;
  for (size_t done = 0; done < count; done += lanes) {
    unsigned used = count - done < lanes ? (unsigned)(count - done) : lanes;
    hash_lanes(kernel, lanes, used, salt, salt_size, blocks + done * block_size, block_size, digests + done * 32);
  }
  return 0;
}
