// Blocks that are decompressed whole, each without any other: the clusters of a compressed file system.
#include "CCompression.h"

#include "../library.h"

#include <limits.h>
#include <lzma.h>
#include <pthread.h>
#include <stdio.h>
#include <zlib.h>
// The parameter that bounds a window is there in every libzstd.so.1 from 1.4.0 on.
#include <zstd.h>

VB_LIBRARY_NOTE(VB_LIBRARY("liblz4.so.1", "lz4", "images whose file system LZ4 compressed", "suggested") "," VB_LIBRARY(
    "liblzma.so.5", "lzma", "images whose file system LZMA compressed", "suggested"));

// Two functions of an interface that has not changed since 2013 need no header of liblz4's.
static struct {
  int (*whole)(const char *input, char *output, int input_size, int output_size);
  int (*part)(const char *input, char *output, int input_size, int target_size, int output_size);
  vb_library_problem problem;
} lz4;

static struct {
  __typeof__(&lzma_microlzma_decoder) decoder;
  __typeof__(&lzma_code) code;
  __typeof__(&lzma_end) end;
  vb_library_problem problem;
} lzma;

static struct {
  __typeof__(&inflateInit2_) init;
  __typeof__(&inflate) inflate;
  __typeof__(&inflateEnd) end;
  vb_library_problem problem;
} zlib;

static struct {
  __typeof__(&ZSTD_createDCtx) create;
  __typeof__(&ZSTD_DCtx_setParameter) set;
  __typeof__(&ZSTD_decompressStream) decompress;
  __typeof__(&ZSTD_isError) is_error;
  __typeof__(&ZSTD_freeDCtx) free;
  vb_library_problem problem;
} zstd;

static void load_lz4(void) {
  void *library = vb_library_open("liblz4.so.1", 0, lz4.problem);
  if (library && VB_LIBRARY_FIND(library, lz4.whole, "LZ4_decompress_safe", lz4.problem)) {
    VB_LIBRARY_FIND(library, lz4.part, "LZ4_decompress_safe_partial", lz4.problem);
  }
}

static void load_lzma(void) {
  void *library = vb_library_open("liblzma.so.5", 0, lzma.problem);
  if (library && VB_LIBRARY_FIND(library, lzma.decoder, "lzma_microlzma_decoder", lzma.problem) &&
      VB_LIBRARY_FIND(library, lzma.code, "lzma_code", lzma.problem)) {
    VB_LIBRARY_FIND(library, lzma.end, "lzma_end", lzma.problem);
  }
}

static void load_zlib(void) {
  void *library = vb_library_open("libz.so.1", 0, zlib.problem);
  if (library && VB_LIBRARY_FIND(library, zlib.init, "inflateInit2_", zlib.problem) &&
      VB_LIBRARY_FIND(library, zlib.inflate, "inflate", zlib.problem)) {
    VB_LIBRARY_FIND(library, zlib.end, "inflateEnd", zlib.problem);
  }
}

static void load_zstd(void) {
  void *library = vb_library_open("libzstd.so.1", 0, zstd.problem);
  if (library && VB_LIBRARY_FIND(library, zstd.create, "ZSTD_createDCtx", zstd.problem) &&
      VB_LIBRARY_FIND(library, zstd.set, "ZSTD_DCtx_setParameter", zstd.problem) &&
      VB_LIBRARY_FIND(library, zstd.decompress, "ZSTD_decompressStream", zstd.problem) &&
      VB_LIBRARY_FIND(library, zstd.is_error, "ZSTD_isError", zstd.problem)) {
    VB_LIBRARY_FIND(library, zstd.free, "ZSTD_freeDCtx", zstd.problem);
  }
}

static int decompress_lz4(const void *input, size_t input_size, void *output, size_t output_size, int is_part) {
  if (input_size > INT_MAX || output_size > INT_MAX) return VB_BLOCK_DAMAGED;
  int made = is_part ? lz4.part(input, output, (int)input_size, (int)output_size, (int)output_size)
                     : lz4.whole(input, output, (int)input_size, (int)output_size);
  return made == (int)output_size ? VB_BLOCK_WHOLE : VB_BLOCK_DAMAGED;
}

static int decompress_lzma(const void *input, size_t input_size, void *output, size_t output_size, int is_part) {
  // No distance is larger than what has come out already, and no dictionary of the format has more than 8 MiB.
  enum { smallest = 4096, largest = 8 << 20 };
  size_t window = output_size < smallest ? smallest : output_size > largest ? largest : output_size;
  lzma_stream stream = LZMA_STREAM_INIT;
  stream.next_in = input;
  stream.avail_in = input_size;
  stream.next_out = output;
  stream.avail_out = output_size;
  lzma_ret result = lzma.decoder(&stream, input_size, output_size, !is_part, (uint32_t)window);
  if (result == LZMA_OK) result = lzma.code(&stream, LZMA_FINISH);
  int is_whole = result == LZMA_STREAM_END && stream.avail_out == 0;
  lzma.end(&stream);
  return is_whole ? VB_BLOCK_WHOLE : VB_BLOCK_DAMAGED;
}

static int decompress_deflate(const void *input, size_t input_size, void *output, size_t output_size) {
  if (input_size > UINT_MAX || output_size > UINT_MAX) return VB_BLOCK_DAMAGED;
  z_stream stream = {.next_in = (Bytef *)input, .avail_in = (uInt)input_size};
  // 15 bits of window, and neither header nor checksum.
  if (zlib.init(&stream, -15, ZLIB_VERSION, sizeof stream) != Z_OK) return VB_BLOCK_DAMAGED;
  stream.next_out = output;
  stream.avail_out = (uInt)output_size;
  int result = zlib.inflate(&stream, Z_SYNC_FLUSH);
  int is_whole = stream.avail_out == 0 && (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
  zlib.end(&stream);
  return is_whole ? VB_BLOCK_WHOLE : VB_BLOCK_DAMAGED;
}

static int decompress_zstd(const void *input, size_t input_size, void *output, size_t output_size) {
  // A window of 1 MiB at most: Z_EROFS_ZSTD_MAX_DICT_SIZE (fs/erofs/erofs_fs.h).
  enum { window_bits = 20 };
  ZSTD_DCtx *context = zstd.create();
  if (context == NULL) return VB_BLOCK_DAMAGED;
  ZSTD_inBuffer from = {.src = input, .size = input_size};
  ZSTD_outBuffer into = {.dst = output, .size = output_size};
  size_t result = zstd.set(context, ZSTD_d_windowLogMax, window_bits);
  while (!zstd.is_error(result) && into.pos < into.size) {
    size_t taken = from.pos, made = into.pos;
    result = zstd.decompress(context, &into, &from);
    // The frame's end, or no way on: what is missing does not come.
    if (result == 0 || (taken == from.pos && made == into.pos)) break;
  }
  int is_whole = !zstd.is_error(result) && into.pos == into.size;
  zstd.free(context);
  return is_whole ? VB_BLOCK_WHOLE : VB_BLOCK_DAMAGED;
}

int vb_decompress_block(int compression, const void *input, size_t input_size, void *output, size_t output_size,
                        int is_part, char *problem, size_t problem_size) {
  static pthread_once_t lz4_loaded = PTHREAD_ONCE_INIT, lzma_loaded = PTHREAD_ONCE_INIT;
  static pthread_once_t zlib_loaded = PTHREAD_ONCE_INIT, zstd_loaded = PTHREAD_ONCE_INIT;
  const char *missing;
  switch (compression) {
    case VB_LZ4_BLOCK:
      pthread_once(&lz4_loaded, load_lz4);
      missing = lz4.problem;
      if (!*missing) return decompress_lz4(input, input_size, output, output_size, is_part);
      break;
    case VB_MICROLZMA:
      pthread_once(&lzma_loaded, load_lzma);
      missing = lzma.problem;
      if (!*missing) return decompress_lzma(input, input_size, output, output_size, is_part);
      break;
    case VB_RAW_DEFLATE:
      pthread_once(&zlib_loaded, load_zlib);
      missing = zlib.problem;
      if (!*missing) return decompress_deflate(input, input_size, output, output_size);
      break;
    case VB_ZSTD_FRAME:
      pthread_once(&zstd_loaded, load_zstd);
      missing = zstd.problem;
      if (!*missing) return decompress_zstd(input, input_size, output, output_size);
      break;
    default:
      return VB_BLOCK_DAMAGED;
  }
  snprintf(problem, problem_size, "%s", missing);
  return VB_BLOCK_NO_LIBRARY;
}
