#include "CHashKernels.h"
#include "kernels.h"

#include <string.h>

#define MOST_STREAMS 4

// A message on its way through the SHA extensions.
struct stream {
  uint32_t state[8];
  size_t message;         // its place among the messages
  const uint8_t *next;    // what is hashed next
  size_t blocks;          // 64-byte blocks there
  uint8_t padded[128];    // the message's end with its padding
  size_t padded_blocks;   // 0 when that is what is hashed
};

// Whether there is something left to hash.
static int has_blocks(struct stream *stream) {
  if (stream->blocks > 0) return 1;
  if (stream->padded_blocks == 0) return 0;
  stream->next = stream->padded, stream->blocks = stream->padded_blocks, stream->padded_blocks = 0;
  return 1;
}

static void begin(struct stream *stream, size_t message, const uint8_t *bytes, size_t size) {
  memcpy(stream->state, vb_sha256_initial, sizeof stream->state);
  stream->message = message;
  size_t rest = size % 64, padded = rest + 9 <= 64 ? 64 : 128;
  memset(stream->padded, 0, sizeof stream->padded);
  if (rest > 0) memcpy(stream->padded, bytes + (size - rest), rest);
  stream->padded[rest] = 0x80;
  for (int i = 0; i < 8; i++) stream->padded[padded - 1 - i] = (uint8_t)(((uint64_t)size * 8) >> (8 * i));
  stream->next = bytes, stream->blocks = size / 64, stream->padded_blocks = padded / 64;
  (void)has_blocks(stream);  // of a short message the padded end is all there is
}

// Hashes as many blocks of each of `count` streams as the shortest has.
static void advance(struct stream *const streams[], unsigned count) {
  // Two streams take the time of one, and four less than twice that.
  unsigned lanes = count <= 2 ? 2 : 4;
  uint32_t state[8 * MOST_STREAMS];
  const uint8_t *from[MOST_STREAMS];
  size_t run = streams[0]->blocks;
  for (unsigned i = 1; i < count; i++) run = streams[i]->blocks < run ? streams[i]->blocks : run;
  for (unsigned i = 0; i < lanes; i++) {
    // Lanes without a stream repeat the last one.
    const struct stream *stream = streams[i < count ? i : count - 1];
    from[i] = stream->next;
    for (unsigned w = 0; w < 8; w++) state[w * lanes + i] = stream->state[w];
  }
#if defined(__x86_64__)
  if (lanes == 2)
    vb_sha256_compress_shani(state, from, run);
  else
    vb_sha256_compress_shani4(state, from, run);
#endif
  for (unsigned i = 0; i < count; i++) {
    for (unsigned w = 0; w < 8; w++) streams[i]->state[w] = state[w * lanes + i];
    streams[i]->next += run * 64, streams[i]->blocks -= run;
  }
}

int vb_sha256_messages(const uint8_t *const *messages, const size_t *sizes, size_t count, uint8_t *digests) {
  if (vb_sha256_lanes(VB_SHA256_SHANI) == 0) return -1;
  unsigned most = vb_sha256_lanes(VB_SHA256_SHANI4) > 0 ? 4 : 2, used = 0;
  struct stream memory[MOST_STREAMS], *streams[MOST_STREAMS];
  for (unsigned i = 0; i < most; i++) streams[i] = &memory[i];
  for (size_t begun = 0; used > 0 || begun < count;) {
    while (used < most && begun < count) {
      begin(streams[used++], begun, messages[begun], sizes[begun]);
      begun++;
    }
    advance(streams, used);
    for (unsigned i = 0; i < used;) {
      struct stream *stream = streams[i];
      if (has_blocks(stream)) {
        i++;
        continue;
      }
      vb_sha256_digest(stream->state, 1, digests + stream->message * 32);
      streams[i] = streams[--used];
      streams[used] = stream;
    }
  }
  return 0;
}
