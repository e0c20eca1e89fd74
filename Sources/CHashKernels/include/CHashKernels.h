// SHA-256 (FIPS 180-4) of many equal-sized blocks at once, each block with the same salt before it. One block a SIMD
// lane. Nothing here knows what the blocks are. And the checksum of file systems, which has an instruction of its own.
#ifndef VERITY_BPF_CHASHKERNELS_H
#define VERITY_BPF_CHASHKERNELS_H
#include <stddef.h>
#include <stdint.h>

// The instruction sets there are kernels for.
enum vb_sha256_kernel {
  VB_SHA256_AVX512 = 0,
  VB_SHA256_AVX2 = 1,
  VB_SHA256_SHANI = 2,
  VB_SHA256_SHANI4 = 3,
};

// How many blocks the kernel hashes at once, or 0 when this processor or operating system does not have what it needs.
unsigned vb_sha256_lanes(int kernel);

// The fastest kernel this processor has, or -1 when it has none. By measurement: AMD processors (Zen 4) run
// SHA-NI streams faster than sixteen AVX-512 lanes, four of them faster than two; Intel processors the other way round,
// and AVX2 beats SHA-NI there.
int vb_sha256_fastest(void);

// Hashes salt || block for `count` blocks of `block_size` bytes that lie one after the other, and writes `count` digests
// of 32 bytes. Lanes that `count` does not fill repeat the last block. Returns 0, or -1 when the kernel is not there.
int vb_sha256_blocks(int kernel, const uint8_t *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
                     size_t count, uint8_t *digests);

// A hash of one message in pieces, with the SHA extensions. Both of the kernel's streams carry the same message: the
// second one runs in the time the first one waits.
struct vb_sha256 {
  uint32_t state[16];
  uint64_t total;
  uint8_t rest[64];
};

// Begins a message. Only for use where VB_SHA256_SHANI has lanes.
void vb_sha256_begin(struct vb_sha256 *hash);
void vb_sha256_update(struct vb_sha256 *hash, const uint8_t *bytes, size_t size);
void vb_sha256_finish(struct vb_sha256 *hash, uint8_t digest[32]);

// SHA-256 of `count` messages of any lengths, several at a time, with the SHA extensions; writes `count` digests of 32
// bytes. Returns 0, or -1 where VB_SHA256_SHANI has no lanes.
int vb_sha256_messages(const uint8_t *const *messages, const size_t *sizes, size_t count, uint8_t *digests);

// CRC-32C (Castagnoli polynomial, reflected), going on from a remainder: neither the seed nor the end is inverted. The
// second one does without the processor's instruction, which not every processor has.
uint32_t vb_crc32c(uint32_t remainder, const uint8_t *bytes, size_t size);
uint32_t vb_crc32c_portable(uint32_t remainder, const uint8_t *bytes, size_t size);

#endif
