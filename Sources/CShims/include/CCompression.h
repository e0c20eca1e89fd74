// Undoing compression by zlib, libzstd, liblz4 and liblzma, each of which is loaded when it is first needed: few runs of the
// program read a log that was rotated or a file system that is compressed.
#ifndef VB_COMPRESSION_H
#define VB_COMPRESSION_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum vb_compression_format { VB_GZIP = 1, VB_ZSTD = 2, VB_XZ = 3 };

struct vb_decompressor;

// NULL when the library cannot be loaded or has no memory; `problem` says why.
struct vb_decompressor *_Nullable vb_decompressor_make(int format, char *problem, size_t problem_size);

void vb_decompressor_free(struct vb_decompressor *decompressor);

enum vb_decompression_state {
  VB_DECOMPRESSING = 0,  // in the middle of a member (gzip), frame (zstd) or stream (xz)
  VB_MEMBER_ENDED = 1,   // whole, its checksum right; another one may follow
  VB_DAMAGED = 2,        // and whatever follows cannot be read
  VB_TOO_LARGE = 3,      // undoing it takes more memory than a reader of logs has for that
};

// What one call has done.
struct vb_decompressed {
  int state;
  size_t taken;  // bytes of the input
  size_t made;   // bytes of output
};

// Decompresses as much as input and room allow. There has to be room. Without input, out comes what an earlier call had no room
// for. Nothing taken and nothing made of input that is there is damage, and said so.
__attribute__((warn_unused_result)) struct vb_decompressed vb_decompress(
    struct vb_decompressor *decompressor, const void *input, size_t input_size, void *output, size_t output_size);

// Blocks that are decompressed whole.
enum vb_block_compression {
  VB_LZ4_BLOCK = 1,
  VB_MICROLZMA = 2,
  VB_RAW_DEFLATE = 3,
  VB_ZSTD_FRAME = 4,
  VB_ZLIB_STREAM = 5,
  VB_XZ_STREAM = 6,
};

// What the size of the output says.
enum vb_block_output {
  VB_OUTPUT_IS_EXACT = 0,  // as many bytes have to come out; LZ4, LZMA, zlib and xz have to end there
  VB_OUTPUT_IS_PART = 1,   // as many bytes have to come out, and more would
  VB_OUTPUT_IS_LIMIT = 2,  // no more bytes may come out, and the input has to end with the block
};

enum vb_block_state {
  VB_BLOCK_WHOLE = 0,       // all of the output is there
  VB_BLOCK_DAMAGED = 1,     // the input does not make it, or there is no memory
  VB_BLOCK_NO_LIBRARY = 2,  // `problem` says why
};

// Decompresses a block; `made` is set to the bytes of output when it is whole.
__attribute__((warn_unused_result)) int vb_decompress_block(
    int compression, const void *input, size_t input_size, void *output, size_t output_size, enum vb_block_output meaning,
    size_t *made, char *problem, size_t problem_size);

#pragma clang assume_nonnull end

#endif
