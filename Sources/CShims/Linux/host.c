#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_lsm_list_modules
#define SYS_lsm_list_modules 461
#endif

_Static_assert(VB_VERITY_METADATA_DESCRIPTOR == FS_VERITY_METADATA_TYPE_DESCRIPTOR, "fs-verity metadata");
_Static_assert(VB_VERITY_METADATA_SIGNATURE == FS_VERITY_METADATA_TYPE_SIGNATURE, "fs-verity metadata");
_Static_assert(VB_FIEMAP_EXTENT_LAST == FIEMAP_EXTENT_LAST, "fiemap flags");

long vb_keyring_read(int32_t keyring, void *serials, size_t capacity) {
  return syscall(SYS_keyctl, KEYCTL_READ, keyring, serials, capacity, 0);
}

long vb_key_describe(int32_t key, char *text, size_t capacity) {
  return syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, capacity, 0);
}

int vb_lsm_list(uint64_t *ids, size_t capacity) {
  uint32_t size = (uint32_t)(capacity * sizeof(*ids));
  return (int)syscall(SYS_lsm_list_modules, ids, &size, 0);
}

// `size` says which fields the kernel gets to see.
static int probe(uint32_t type, const void *instructions, uint32_t count, struct vb_bpf_prog_load *attributes,
                 unsigned size) {
  attributes->prog_type = type;
  attributes->insn_cnt = count;
  attributes->insns = (uint64_t)(uintptr_t)instructions;
  attributes->license = (uint64_t)(uintptr_t) "GPL";
  for (int attempt = 0;; attempt++) {
    int fd = vb_bpf(BPF_PROG_LOAD, attributes, size);
    if (fd >= 0) {
      close(fd);
      return 0;
    }
    // A pending signal ends a load early.
    if (errno != EAGAIN || attempt == 4) return errno;
  }
}

int vb_probe_program_signature(const void *signature, uint32_t size, int32_t keyring) {
  // r0 = a number that no compiler writes; r0 = 0; exit. `return 0` alone may be a program that somebody signed, and
  // the signature handed over here has to be one of something else.
  static const uint64_t instructions[] = {0x52504256000000b7, 0xb7, 0x95};
  struct vb_bpf_prog_load attributes = {0};
  if (signature != NULL) {
    attributes.signature = (uint64_t)(uintptr_t)signature;
    attributes.signature_size = size;
    attributes.keyring_id = keyring;
  }
  // The least that can be asked for.
  return probe(BPF_PROG_TYPE_SOCKET_FILTER, instructions, 3, &attributes, sizeof(attributes));
}

int vb_probe_helper(int32_t helper) {
  uint64_t instructions[] = {
      0xa1bf,                                              // r1 = r10
      0xfffffff800000107,                                  // r1 += -8
      0x00000008000002b7,                                  // r2 = 8
      0x03b7,                                              // r3 = 0
      (uint64_t)(uint32_t)helper << 32 | 0x85,             // call helper
      0xb7,                                                // r0 = 0
      0x95,                                                // exit
  };
  if (helper == 0) instructions[4] = 0xb7;
  // It takes the destination first, and wants the source's bytes to be there.
  if (helper == BPF_FUNC_probe_write_user) {
    instructions[0] = 0x01b7;                              // r1 = 0
    instructions[1] = 0xa2bf;                              // r2 = r10
    instructions[2] = 0xfffffff800000207;                  // r2 += -8
    instructions[3] = 0x00000008000003b7;                  // r3 = 8
  }
  uint64_t program[9] = {0, 0};
  // The buffer is made first: *(u64 *)(r10 - 8) = 0
  program[0] = 0x00000000fff80a7a;
  memcpy(program + 1, instructions, sizeof(instructions));
  struct vb_bpf_prog_load attributes = {0};
  return probe(BPF_PROG_TYPE_RAW_TRACEPOINT, program, 8, &attributes, offsetof(struct vb_bpf_prog_load, prog_token_fd));
}

int vb_verity_measure(int fd, uint16_t *algorithm, void *digest, size_t capacity) {
  union {
    struct fsverity_digest header;
    uint8_t bytes[sizeof(struct fsverity_digest) + 64];
  } answer;
  memset(&answer, 0, sizeof(answer));
  answer.header.digest_size = 64;
  if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) != 0) return -1;
  if (answer.header.digest_size > capacity) {
    errno = EOVERFLOW;
    return -1;
  }
  *algorithm = answer.header.digest_algorithm;
  memcpy(digest, answer.bytes + sizeof(struct fsverity_digest), answer.header.digest_size);
  return answer.header.digest_size;
}

long vb_verity_metadata(int fd, uint64_t type, uint64_t offset, void *buffer, size_t capacity) {
  struct fsverity_read_metadata_arg argument = {
      .metadata_type = type, .offset = offset, .length = capacity, .buf_ptr = (uint64_t)(uintptr_t)buffer};
  return ioctl(fd, FS_IOC_READ_VERITY_METADATA, &argument);
}

int vb_extents(int fd, uint64_t start, struct vb_extent *extents, uint32_t capacity) {
  enum { most = 64 };
  union {
    struct fiemap map;
    uint8_t bytes[sizeof(struct fiemap) + most * sizeof(struct fiemap_extent)];
  } answer;
  memset(&answer, 0, sizeof(answer));
  answer.map.fm_start = start;
  answer.map.fm_length = FIEMAP_MAX_OFFSET - start;
  answer.map.fm_extent_count = capacity < most ? capacity : most;
  if (ioctl(fd, FS_IOC_FIEMAP, &answer) != 0) return -1;
  uint32_t count = answer.map.fm_mapped_extents;
  if (count > answer.map.fm_extent_count) count = answer.map.fm_extent_count;
  for (uint32_t i = 0; i < count; i++) {
    const struct fiemap_extent *from = &answer.map.fm_extents[i];
    extents[i] = (struct vb_extent){
        .logical = from->fe_logical, .physical = from->fe_physical, .length = from->fe_length, .flags = from->fe_flags};
  }
  return (int)count;
}

int vb_btrfs_info(int fd, uint64_t *devices, uint64_t *highest, uint8_t uuid[16]) {
  struct btrfs_ioctl_fs_info_args answer;
  memset(&answer, 0, sizeof(answer));
  if (ioctl(fd, BTRFS_IOC_FS_INFO, &answer) != 0) return -1;
  *devices = answer.num_devices;
  *highest = answer.max_id;
  memcpy(uuid, answer.fsid, 16);
  return 0;
}

int vb_btrfs_device(int fd, uint64_t id) {
  struct btrfs_ioctl_dev_info_args answer;
  memset(&answer, 0, sizeof(answer));
  answer.devid = id;
  return ioctl(fd, BTRFS_IOC_DEV_INFO, &answer);
}
