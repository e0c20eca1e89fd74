#include "CCompression.h"

#include "../library.h"

#include <limits.h>
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

struct vb_decompressor {
  int format;
  int has_ended;  // the last member is whole, and no byte of another one was seen
  z_stream gzip;
  ZSTD_DStream *zstd;
};

struct vb_decompressor *vb_decompressor_make(int format, char *problem, size_t problem_size) {
  static pthread_once_t zlib_loaded = PTHREAD_ONCE_INIT, zstd_loaded = PTHREAD_ONCE_INIT;
  pthread_once(format == VB_GZIP ? &zlib_loaded : &zstd_loaded, format == VB_GZIP ? load_zlib : load_zstd);
  const char *missing = format == VB_GZIP ? zlib.problem : zstd.problem;
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
  }
  free(made);
  snprintf(problem, problem_size, "the library has no memory, or is of another version");
  return NULL;
}

void vb_decompressor_free(struct vb_decompressor *decompressor) {
  if (decompressor->format == VB_GZIP) zlib.end(&decompressor->gzip);
  if (decompressor->format == VB_ZSTD) zstd.free(decompressor->zstd);
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

struct vb_decompressed vb_decompress(struct vb_decompressor *decompressor, const void *input, size_t input_size,
                                     void *output, size_t output_size) {
  // The end of a member is one until a byte of the next is there.
  if (input_size == 0 && decompressor->has_ended) return (struct vb_decompressed){.state = VB_MEMBER_ENDED};
  struct vb_decompressed done =
      decompressor->format == VB_GZIP ? inflate_some(decompressor, input, input_size, output, output_size)
                                      : unzstd_some(decompressor, input, input_size, output, output_size);
  if (done.state == VB_DECOMPRESSING && input_size > 0 && output_size > 0 && done.taken == 0 && done.made == 0) {
    done.state = VB_DAMAGED;
  }
  return done;
}
