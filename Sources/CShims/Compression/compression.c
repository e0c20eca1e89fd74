#include "CCompression.h"

#include "../library.h"

#include <limits.h>
#include <lzma.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

VB_LIBRARY_NOTE(VB_LIBRARY("libz.so.1", "gzip", "logs that gzip compressed, the kernel's configuration, images by DEFLATE",
                           "recommended") "," VB_LIBRARY("libzstd.so.1", "zstd", "logs and images that zstd compressed", "suggested"));

// The functions that are used, with the headers' own types, so that the compiler checks every call.
static struct {
  __typeof__(&inflateInit2_) init;
  __typeof__(&inflate) inflate;
  __typeof__(&inflateReset) reset;
  __typeof__(&inflateEnd) end;
  vb_library_problem problem;
} zlib;

static struct {
  __typeof__(&ZSTD_createDStream) create;
  __typeof__(&ZSTD_decompressStream) decompress;
  __typeof__(&ZSTD_isError) is_error;
  __typeof__(&ZSTD_freeDStream) free;
  vb_library_problem problem;
} zstd;

static struct {
  __typeof__(&lzma_stream_decoder) decoder;
  __typeof__(&lzma_code) code;
  __typeof__(&lzma_end) end;
  vb_library_problem problem;
} xz;

// Bytes that a decoder may take: xz -9 makes files that need 65 MiB, and its default ones that need 9.
static const uint64_t xz_memory = 80 << 20;

static void load_zlib(void) {
  void *library = vb_library_open("libz.so.1", 0, zlib.problem);
  if (library && VB_LIBRARY_FIND(library, zlib.init, "inflateInit2_", zlib.problem) &&
      VB_LIBRARY_FIND(library, zlib.inflate, "inflate", zlib.problem) &&
      VB_LIBRARY_FIND(library, zlib.reset, "inflateReset", zlib.problem)) {
    VB_LIBRARY_FIND(library, zlib.end, "inflateEnd", zlib.problem);
  }
}

static void load_zstd(void) {
  void *library = vb_library_open("libzstd.so.1", 0, zstd.problem);
  if (library && VB_LIBRARY_FIND(library, zstd.create, "ZSTD_createDStream", zstd.problem) &&
      VB_LIBRARY_FIND(library, zstd.decompress, "ZSTD_decompressStream", zstd.problem) &&
      VB_LIBRARY_FIND(library, zstd.is_error, "ZSTD_isError", zstd.problem)) {
    VB_LIBRARY_FIND(library, zstd.free, "ZSTD_freeDStream", zstd.problem);
  }
}

static void load_xz(void) {
  void *library = vb_library_open("liblzma.so.5", 0, xz.problem);
  if (library && VB_LIBRARY_FIND(library, xz.decoder, "lzma_stream_decoder", xz.problem) &&
      VB_LIBRARY_FIND(library, xz.code, "lzma_code", xz.problem)) {
    VB_LIBRARY_FIND(library, xz.end, "lzma_end", xz.problem);
  }
}

struct vb_decompressor {
  int format;
  int has_ended;  // the last member is whole, and no byte of another one was seen
  z_stream gzip;
  ZSTD_DStream *zstd;
  lzma_stream xz;
  unsigned padding;  // zero bytes behind the last stream of .xz, of which there are four at a time
};

// Opens the library for a format; why it cannot be used, or an empty text.
static const char *library_problem(int format) {
  static pthread_once_t zlib_loaded = PTHREAD_ONCE_INIT, zstd_loaded = PTHREAD_ONCE_INIT, xz_loaded = PTHREAD_ONCE_INIT;
  switch (format) {
    case VB_GZIP: pthread_once(&zlib_loaded, load_zlib); return zlib.problem;
    case VB_ZSTD: pthread_once(&zstd_loaded, load_zstd); return zstd.problem;
    case VB_XZ: pthread_once(&xz_loaded, load_xz); return xz.problem;
    default: return "no such format";
  }
}

struct vb_decompressor *vb_decompressor_make(int format, char *problem, size_t problem_size) {
  const char *missing = library_problem(format);
  if (*missing) {
    snprintf(problem, problem_size, "%s", missing);
    return NULL;
  }
  struct vb_decompressor *made = calloc(1, sizeof *made);
  if (made) {
    made->format = format;
    // 15 bits of window, and 16 more for gzip's header and checksum instead of zlib's own.
    if (format == VB_GZIP && zlib.init(&made->gzip, 15 + 16, ZLIB_VERSION, sizeof made->gzip) == Z_OK) return made;
    if (format == VB_ZSTD && (made->zstd = zstd.create())) return made;
    // An lzma_stream that is all zeros is LZMA_STREAM_INIT.
    if (format == VB_XZ && xz.decoder(&made->xz, xz_memory, 0) == LZMA_OK) return made;
  }
  free(made);
  snprintf(problem, problem_size, "the library has no memory, or is of another version");
  return NULL;
}

void vb_decompressor_free(struct vb_decompressor *decompressor) {
  if (decompressor->format == VB_GZIP) zlib.end(&decompressor->gzip);
  if (decompressor->format == VB_ZSTD) zstd.free(decompressor->zstd);
  if (decompressor->format == VB_XZ) xz.end(&decompressor->xz);
  free(decompressor);
}

static struct vb_decompressed inflate_some(struct vb_decompressor *decompressor, const void *input, size_t input_size,
                                           void *output, size_t output_size) {
  z_stream *stream = &decompressor->gzip;
  if (decompressor->has_ended && zlib.reset(stream) != Z_OK) return (struct vb_decompressed){.state = VB_DAMAGED};
  decompressor->has_ended = 0;
  stream->next_in = (Bytef *)input;
  stream->avail_in = input_size > UINT_MAX ? UINT_MAX : (uInt)input_size;
  stream->next_out = output;
  stream->avail_out = output_size > UINT_MAX ? UINT_MAX : (uInt)output_size;
  uInt given = stream->avail_in, room = stream->avail_out;
  int result = zlib.inflate(stream, Z_NO_FLUSH);
  struct vb_decompressed done = {.taken = given - stream->avail_in, .made = room - stream->avail_out};
  decompressor->has_ended = result == Z_STREAM_END;
  done.state = result == Z_STREAM_END ? VB_MEMBER_ENDED
               : result == Z_OK       ? VB_DECOMPRESSING
                                      : VB_DAMAGED;
  // No progress is possible without more input or more room; with both it is damage.
  if (result == Z_BUF_ERROR && (given == 0 || room == 0)) done.state = VB_DECOMPRESSING;
  return done;
}

static struct vb_decompressed unzstd_some(struct vb_decompressor *decompressor, const void *input, size_t input_size,
                                          void *output, size_t output_size) {
  ZSTD_inBuffer from = {.src = input, .size = input_size};
  ZSTD_outBuffer into = {.dst = output, .size = output_size};
  size_t result = zstd.decompress(decompressor->zstd, &into, &from);
  struct vb_decompressed done = {.taken = from.pos, .made = into.pos};
  decompressor->has_ended = result == 0;
  done.state = zstd.is_error(result) ? VB_DAMAGED : result == 0 ? VB_MEMBER_ENDED : VB_DECOMPRESSING;
  return done;
}

static struct vb_decompressed unxz_some(struct vb_decompressor *decompressor, const void *input, size_t input_size,
                                        void *output, size_t output_size) {
  const uint8_t *bytes = input;
  size_t skipped = 0;
  if (decompressor->has_ended) {
    while (skipped < input_size && bytes[skipped] == 0) skipped++;
    decompressor->padding = (decompressor->padding + skipped) % 4;
    if (skipped == input_size) {
      return (struct vb_decompressed){
          .state = decompressor->padding ? VB_DECOMPRESSING : VB_MEMBER_ENDED, .taken = skipped};
    }
    if (decompressor->padding || xz.decoder(&decompressor->xz, xz_memory, 0) != LZMA_OK) {
      return (struct vb_decompressed){.state = VB_DAMAGED};
    }
    decompressor->has_ended = 0;
  }
  lzma_stream *stream = &decompressor->xz;
  stream->next_in = bytes + skipped;
  stream->avail_in = input_size - skipped;
  stream->next_out = output;
  stream->avail_out = output_size;
  lzma_ret result = xz.code(stream, LZMA_RUN);
  struct vb_decompressed done = {.taken = input_size - stream->avail_in, .made = output_size - stream->avail_out};
  decompressor->has_ended = result == LZMA_STREAM_END;
  // Without input or without space for output there is no progress, which is no damage.
  int is_open = result == LZMA_OK || (result == LZMA_BUF_ERROR && (input_size == 0 || output_size == 0));
  done.state = result == LZMA_STREAM_END       ? VB_MEMBER_ENDED
               : is_open                       ? VB_DECOMPRESSING
               : result == LZMA_MEMLIMIT_ERROR ? VB_TOO_LARGE
                                               : VB_DAMAGED;
  return done;
}

struct vb_decompressed vb_decompress(struct vb_decompressor *decompressor, const void *input, size_t input_size,
                                     void *output, size_t output_size) {
  // The end of a member is one until a byte of the next is there.
  if (input_size == 0 && decompressor->has_ended) {
    return (struct vb_decompressed){.state = decompressor->padding ? VB_DECOMPRESSING : VB_MEMBER_ENDED};
  }
  struct vb_decompressed done =
      decompressor->format == VB_GZIP ? inflate_some(decompressor, input, input_size, output, output_size)
      : decompressor->format == VB_XZ ? unxz_some(decompressor, input, input_size, output, output_size)
                                      : unzstd_some(decompressor, input, input_size, output, output_size);
  if (done.state == VB_DECOMPRESSING && input_size > 0 && output_size > 0 && done.taken == 0 && done.made == 0) {
    done.state = VB_DAMAGED;
  }
  return done;
}
