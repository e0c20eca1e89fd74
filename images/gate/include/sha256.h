// SHA-256 of kernel memory (FIPS 180-4).
//
// The kernel offers BPF programs no function for it. The block is unrolled and a global function, so that the verifier looks at
// it once and not in each turn of the loop around it.
#ifndef GATE_SHA256_H
#define GATE_SHA256_H

#include "kernel.h"

struct gate_hash {
  __u32 state[8];
  __u64 address;   // an address that passes through memory is a number for the verifier
  __u32 words[16]; // of the block; on the stack the compiler gives each of them more places than one
  __u8 last[128];  // the end of the message, padded
};

// One rotation is two 64-bit operations where the word is there twice. The barrier keeps the compiler from finding the rotation
// again, for which this instruction set has nothing.
static __always_inline __u64 twice(__u32 word) {
  __u64 pair = (__u64)word << 32 | word;
  opaque(pair);
  return pair;
}

static __always_inline __u32 large_0(__u32 x) {
  __u64 y = twice(x);
  return (__u32)(y >> 2 ^ y >> 13 ^ y >> 22);
}
static __always_inline __u32 large_1(__u32 x) {
  __u64 y = twice(x);
  return (__u32)(y >> 6 ^ y >> 11 ^ y >> 25);
}
static __always_inline __u32 small_0(__u32 x) {
  __u64 y = twice(x);
  return (__u32)(y >> 7 ^ y >> 18) ^ x >> 3;
}
static __always_inline __u32 small_1(__u32 x) {
  __u64 y = twice(x);
  return (__u32)(y >> 17 ^ y >> 19) ^ x >> 10;
}

#define SHA256_ROUND(a, b, c, d, e, f, g, h, constant, word)                \
  do {                                                                      \
    __u32 first = h + large_1(e) + (g ^ (e & (f ^ g))) + constant + (word); \
    d += first;                                                             \
    h = first + large_0(a) + ((a & b) | (c & (a | b)));                     \
  } while (0)

#define SHA256_WORD(i)                                                                                  \
  (w[(i) & 15] = w[(i) & 15] + small_1(w[((i) + 14) & 15]) + w[((i) + 9) & 15] + small_0(w[((i) + 1) & 15]))

#define SHA256_EIGHT(i, word, k0, k1, k2, k3, k4, k5, k6, k7)   \
  do {                                                          \
    SHA256_ROUND(a, b, c, d, e, f, g, h, k0, word((i) + 0));    \
    SHA256_ROUND(h, a, b, c, d, e, f, g, k1, word((i) + 1));    \
    SHA256_ROUND(g, h, a, b, c, d, e, f, k2, word((i) + 2));    \
    SHA256_ROUND(f, g, h, a, b, c, d, e, k3, word((i) + 3));    \
    SHA256_ROUND(e, f, g, h, a, b, c, d, k4, word((i) + 4));    \
    SHA256_ROUND(d, e, f, g, h, a, b, c, k5, word((i) + 5));    \
    SHA256_ROUND(c, d, e, f, g, h, a, b, k6, word((i) + 6));    \
    SHA256_ROUND(b, c, d, e, f, g, h, a, k7, word((i) + 7));    \
  } while (0)

#define SHA256_GIVEN(i) w[i]

// Takes the 64 bytes at an address into the state.
__noinline int sha256_block(struct gate_hash *hash, __u64 address) {
  if (!hash) return 0;
  volatile __u32 *w = hash->words;
  for (int i = 0; i < 4; i++) {
    const struct bytes16 *bytes = kernel_bytes(address + 16 * i);
    __u64 low = __builtin_bswap64(bytes->low);
    __u64 high = __builtin_bswap64(bytes->high);
    w[4 * i] = low >> 32;
    w[4 * i + 1] = (__u32)low;
    w[4 * i + 2] = high >> 32;
    w[4 * i + 3] = (__u32)high;
  }
  __u32 a = hash->state[0], b = hash->state[1], c = hash->state[2], d = hash->state[3];
  __u32 e = hash->state[4], f = hash->state[5], g = hash->state[6], h = hash->state[7];
  SHA256_EIGHT(0, SHA256_GIVEN, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5);
  SHA256_EIGHT(8, SHA256_GIVEN, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174);
  SHA256_EIGHT(16, SHA256_WORD, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da);
  SHA256_EIGHT(24, SHA256_WORD, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967);
  SHA256_EIGHT(32, SHA256_WORD, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85);
  SHA256_EIGHT(40, SHA256_WORD, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070);
  SHA256_EIGHT(48, SHA256_WORD, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3);
  SHA256_EIGHT(56, SHA256_WORD, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2);
  hash->state[0] += a;
  hash->state[1] += b;
  hash->state[2] += c;
  hash->state[3] += d;
  hash->state[4] += e;
  hash->state[5] += f;
  hash->state[6] += g;
  hash->state[7] += h;
  return 0;
}

// Takes the end of a message in, which is shorter than a block and begins at `address`, and makes the digest of the state.
__noinline int sha256_end(struct gate_hash *hash, __u64 address, __u64 size) {
  if (!hash) return 0;
  __u32 rest = size & 63;
  for (int i = 0; i < 128; i++) hash->last[i] = 0;
  struct bpf_iter_num iterator;
  bpf_iter_num_new(&iterator, 0, rest);
  for (int *turn; (turn = bpf_iter_num_next(&iterator));) {
    __u32 i = *turn;
    opaque(i);
    i &= 63;
    hash->last[i] = *(const __u8 *)kernel_bytes(address + i);
  }
  bpf_iter_num_destroy(&iterator);
  hash->last[rest & 63] = 0x80;
  // The length stands at the end of the last block: the first, when a byte and eight fit behind the rest.
  __u64 bits = size << 3;
  __u32 place = rest < 56 ? 56 : 120;
  for (int i = 0; i < 8; i++) hash->last[(place + i) & 127] = bits >> (56 - 8 * i);
  *(volatile __u64 *)&hash->address = (__u64)hash->last;
  __u64 last = *(volatile __u64 *)&hash->address;
  sha256_block(hash, last);
  if (rest >= 56) sha256_block(hash, last + 64);
  for (int i = 0; i < 8; i++) hash->state[i] = __builtin_bswap32(hash->state[i]);
  return 0;
}

// The digest of `size` bytes at an address, as bytes in `state`.
static __always_inline void sha256(struct gate_hash *hash, __u64 address, __u64 size) {
  hash->state[0] = 0x6a09e667;
  hash->state[1] = 0xbb67ae85;
  hash->state[2] = 0x3c6ef372;
  hash->state[3] = 0xa54ff53a;
  hash->state[4] = 0x510e527f;
  hash->state[5] = 0x9b05688c;
  hash->state[6] = 0x1f83d9ab;
  hash->state[7] = 0x5be0cd19;
  struct bpf_iter_num iterator;
  bpf_iter_num_new(&iterator, 0, size >> 6);
  for (int *turn; (turn = bpf_iter_num_next(&iterator));) {
    __u64 block = *(__u32 *)turn;
    sha256_block(hash, address + (block << 6));
  }
  bpf_iter_num_destroy(&iterator);
  sha256_end(hash, address + (size & ~63ULL), size);
}

#endif
