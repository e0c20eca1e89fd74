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
    "liblzma.so.5", "lzma", "logs that xz compressed, images whose file system LZMA or xz compressed", "suggested"));

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
  __typeof__(&lzma_stream_buffer_decode) decode;
  vb_library_problem problem;
} xz;

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

// Older than MicroLZMA, which liblzma has from 5.4 on.
static void load_xz(void) {
  void *library = vb_library_open("liblzma.so.5", 0, xz.problem);
  if (library) VB_LIBRARY_FIND(library, xz.decode, "lzma_stream_buffer_decode", xz.problem);
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

// Whether the bytes that came out are those that were asked for. Of a limit, none is what no block of a file system makes.
static int state_of(size_t made, size_t output_size, enum vb_block_output meaning) {
  int is_enough = meaning == VB_OUTPUT_IS_LIMIT ? made > 0 : made == output_size;
  return is_enough ? VB_BLOCK_WHOLE : VB_BLOCK_DAMAGED;
}

static int decompress_lz4(const void *input, size_t input_size, void *output, size_t output_size,
                          enum vb_block_output meaning, size_t *made) {
  if (input_size > INT_MAX || output_size > INT_MAX) return VB_BLOCK_DAMAGED;
  int count = meaning == VB_OUTPUT_IS_PART
                  ? lz4.part(input, output, (int)input_size, (int)output_size, (int)output_size)
                  : lz4.whole(input, output, (int)input_size, (int)output_size);
  if (count < 0) return VB_BLOCK_DAMAGED;
  *made = (size_t)count;
  return state_of(*made, output_size, meaning);
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

static int decompress_xz(const void *input, size_t input_size, void *output, size_t output_size,
                         enum vb_block_output meaning, size_t *made) {
  // A dictionary of 1 MiB, the largest block of the file systems that use it, and what the decoder needs otherwise.
  uint64_t memory = 4 << 20;
  size_t taken = 0;
  *made = 0;
  // No flag: one stream, whole, its checks right.
  lzma_ret result = xz.decode(&memory, 0, NULL, input, &taken, input_size, output, made, output_size);
  if (result != LZMA_OK || taken != input_size) return VB_BLOCK_DAMAGED;
  return state_of(*made, output_size, meaning);
}

// `window_bits` is -15 for neither header nor checksum, 15 for zlib's.
static int inflate_block(const void *input, size_t input_size, void *output, size_t output_size, int window_bits,
                         enum vb_block_output meaning, size_t *made) {
  if (input_size > UINT_MAX || output_size > UINT_MAX) return VB_BLOCK_DAMAGED;
  z_stream stream = {.next_in = (Bytef *)input, .avail_in = (uInt)input_size};
  if (zlib.init(&stream, window_bits, ZLIB_VERSION, sizeof stream) != Z_OK) return VB_BLOCK_DAMAGED;
  stream.next_out = output;
  stream.avail_out = (uInt)output_size;
  int must_end = window_bits > 0 || meaning == VB_OUTPUT_IS_LIMIT;
  int result = zlib.inflate(&stream, must_end ? Z_FINISH : Z_SYNC_FLUSH);
  int is_sound = must_end ? result == Z_STREAM_END && stream.avail_in == 0
                          : result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
  *made = output_size - stream.avail_out;
  zlib.end(&stream);
  return is_sound ? state_of(*made, output_size, meaning) : VB_BLOCK_DAMAGED;
}

static int decompress_zstd(const void *input, size_t input_size, void *output, size_t output_size,
                           enum vb_block_output meaning, size_t *made) {
  // A window of 1 MiB at most: Z_EROFS_ZSTD_MAX_DICT_SIZE (fs/erofs/erofs_fs.h), and the largest block of squashfs.
  enum { window_bits = 20 };
  ZSTD_DCtx *context = zstd.create();
  if (context == NULL) return VB_BLOCK_DAMAGED;
  ZSTD_inBuffer from = {.src = input, .size = input_size};
  ZSTD_outBuffer into = {.dst = output, .size = output_size};
  size_t result = zstd.set(context, ZSTD_d_windowLogMax, window_bits);
  int must_end = meaning == VB_OUTPUT_IS_LIMIT, has_ended = 0;
  while (!zstd.is_error(result) && (must_end || into.pos < into.size)) {
    size_t taken = from.pos, before = into.pos;
    result = zstd.decompress(context, &into, &from);
    has_ended = result == 0;
    // The frame's end, or no way on: what is missing does not come.
    if (has_ended || (taken == from.pos && before == into.pos)) break;
  }
  *made = into.pos;
  int is_sound = !zstd.is_error(result) && (!must_end || (has_ended && from.pos == from.size));
  zstd.free(context);
  return is_sound ? state_of(*made, output_size, meaning) : VB_BLOCK_DAMAGED;
}

int vb_decompress_block(int compression, const void *input, size_t input_size, void *output, size_t output_size,
                        enum vb_block_output meaning, size_t *made, char *problem, size_t problem_size) {
  static pthread_once_t lz4_loaded = PTHREAD_ONCE_INIT, lzma_loaded = PTHREAD_ONCE_INIT, xz_loaded = PTHREAD_ONCE_INIT;
  static pthread_once_t zlib_loaded = PTHREAD_ONCE_INIT, zstd_loaded = PTHREAD_ONCE_INIT;
  const char *missing;
  *made = 0;
  switch (compression) {
    case VB_LZ4_BLOCK:
      pthread_once(&lz4_loaded, load_lz4);
      missing = lz4.problem;
      if (!*missing) return decompress_lz4(input, input_size, output, output_size, meaning, made);
      break;
    case VB_MICROLZMA:
      // It does not say where it ends.
      if (meaning == VB_OUTPUT_IS_LIMIT) return VB_BLOCK_DAMAGED;
      pthread_once(&lzma_loaded, load_lzma);
      missing = lzma.problem;
      if (!*missing) {
        *made = output_size;
        return decompress_lzma(input, input_size, output, output_size, meaning == VB_OUTPUT_IS_PART);
      }
      break;
    case VB_RAW_DEFLATE:
    case VB_ZLIB_STREAM:
      pthread_once(&zlib_loaded, load_zlib);
      missing = zlib.problem;
      if (!*missing) {
        int window_bits = compression == VB_ZLIB_STREAM ? 15 : -15;
        return inflate_block(input, input_size, output, output_size, window_bits, meaning, made);
      }
      break;
    case VB_ZSTD_FRAME:
      pthread_once(&zstd_loaded, load_zstd);
      missing = zstd.problem;
      if (!*missing) return decompress_zstd(input, input_size, output, output_size, meaning, made);
      break;
    case VB_XZ_STREAM:
      pthread_once(&xz_loaded, load_xz);
      missing = xz.problem;
      if (!*missing) return decompress_xz(input, input_size, output, output_size, meaning, made);
      break;
    default:
      return VB_BLOCK_DAMAGED;
  }
  snprintf(problem, problem_size, "%s", missing);
  return VB_BLOCK_NO_LIBRARY;
}
