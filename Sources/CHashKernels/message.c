#include "CHashKernels.h"
#include "kernels.h"

#include <string.h>

static void compress(struct vb_sha256 *hash, const uint8_t *bytes, size_t blocks) {
#if defined(__x86_64__)
  const uint8_t *const streams[2] = {bytes, bytes};
  vb_sha256_compress_shani(hash->state, streams, blocks);
#else
  (void)hash, (void)bytes, (void)blocks;
#endif
}

void vb_sha256_begin(struct vb_sha256 *hash) {
  for (unsigned w = 0; w < 8; w++) hash->state[2 * w] = hash->state[2 * w + 1] = vb_sha256_initial[w];
  hash->total = 0;
}

void vb_sha256_update(struct vb_sha256 *hash, const uint8_t *bytes, size_t size) {
  if (size == 0) return;
  size_t held = hash->total % 64;
  hash->total += size;
  if (held > 0) {
    size_t taken = size < 64 - held ? size : 64 - held;
    memcpy(hash->rest + held, bytes, taken);
    bytes += taken, size -= taken;
    if (held + taken < 64) return;
    compress(hash, hash->rest, 1);
  }
  compress(hash, bytes, size / 64);
  memcpy(hash->rest, bytes + size / 64 * 64, size % 64);
}

void vb_sha256_finish(struct vb_sha256 *hash, uint8_t digest[32]) {
  uint64_t bits = hash->total * 8;
  size_t held = hash->total % 64;
  hash->rest[held++] = 0x80;
  if (held > 56) {
    memset(hash->rest + held, 0, 64 - held);
    compress(hash, hash->rest, 1);
    held = 0;
  }
  memset(hash->rest + held, 0, 56 - held);
  for (int i = 0; i < 8; i++) hash->rest[63 - i] = (uint8_t)(bits >> (8 * i));
  compress(hash, hash->rest, 1);
  vb_sha256_digest(hash->state, 2, digest);
}
