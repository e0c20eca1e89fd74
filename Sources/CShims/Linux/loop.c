#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)
#endif

_Static_assert(VB_LO_FLAGS_READ_ONLY == LO_FLAGS_READ_ONLY, "loop flags");
_Static_assert(VB_LO_FLAGS_AUTOCLEAR == LO_FLAGS_AUTOCLEAR, "loop flags");
_Static_assert(VB_LO_FLAGS_PARTSCAN == LO_FLAGS_PARTSCAN, "loop flags");

int vb_loop_get_status(int fd, struct vb_loop_status *out) {
  struct loop_info64 info;
  if (ioctl(fd, LOOP_GET_STATUS64, &info) != 0) return -1;
  *out = (struct vb_loop_status){
      .device = info.lo_device,
      .inode = info.lo_inode,
      .rdevice = info.lo_rdevice,
      .offset = info.lo_offset,
      .sizelimit = info.lo_sizelimit,
      .number = info.lo_number,
      .flags = info.lo_flags,
  };
  memcpy(out->file_name, info.lo_file_name, sizeof(info.lo_file_name));
  return 0;
}

int vb_loop_get_free(int control_fd) { return ioctl(control_fd, LOOP_CTL_GET_FREE); }

int vb_loop_configure(int loop_fd, int backing_fd, uint32_t flags, uint64_t offset, uint64_t size_limit,
                      const char *label) {
  struct loop_config config = {.fd = (uint32_t)backing_fd};
  config.info.lo_flags = flags;
  config.info.lo_offset = offset;
  config.info.lo_sizelimit = size_limit;
  memcpy(config.info.lo_file_name, label, strnlen(label, LO_NAME_SIZE - 1));
  return ioctl(loop_fd, LOOP_CONFIGURE, &config);
}

int vb_loop_clear(int loop_fd) { return ioctl(loop_fd, LOOP_CLR_FD); }

int vb_loop_change_fd(int loop_fd, int backing_fd) { return ioctl(loop_fd, LOOP_CHANGE_FD, backing_fd); }

int vb_disk_sequence(int block_fd, uint64_t *sequence) { return ioctl(block_fd, BLKGETDISKSEQ, sequence); }

int vb_block_device_size(int block_fd, uint64_t *bytes) { return ioctl(block_fd, BLKGETSIZE64, bytes); }
