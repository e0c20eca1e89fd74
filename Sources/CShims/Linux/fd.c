#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(VB_O_CREAT == O_CREAT && VB_O_EXCL == O_EXCL && VB_O_TRUNC == O_TRUNC && VB_O_APPEND == O_APPEND, "open flags");
_Static_assert(VB_O_NOFOLLOW == O_NOFOLLOW && VB_O_CLOEXEC == O_CLOEXEC && VB_O_PATH == O_PATH, "open flags");
_Static_assert(VB_O_DIRECTORY == O_DIRECTORY && VB_O_RDWR == O_RDWR && VB_O_WRONLY == O_WRONLY, "open flags");

int vb_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, mode); }

int vb_openat(int dirfd, const char *path, int flags, unsigned mode) {
  return openat(dirfd, path, flags | O_CLOEXEC, mode);
}

int vb_open_within_mount(int dirfd, const char *path, int flags) {
  struct open_how how = {
      .flags = (uint64_t)(flags | O_CLOEXEC),
      .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
  };
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int64_t vb_pread_cached(int fd, void *buffer, size_t count, int64_t offset) {
  struct iovec target = {.iov_base = buffer, .iov_len = count};
  return preadv2(fd, &target, 1, offset, RWF_NOWAIT);
}

int vb_fcntl_getfl(int fd) { return fcntl(fd, F_GETFL); }

int vb_fcntl_dupfd_cloexec(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

int vb_set_cloexec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }

int vb_memfd_create(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int vb_memfd_seal(int fd) {
  return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int vb_lock_exclusive(int fd) { return flock(fd, LOCK_EX); }
int vb_lock_exclusive_now(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

int vb_unlock(int fd) { return flock(fd, LOCK_UN); }

int vb_exchange(const char *path, const char *other) {
  return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
}

int vb_close(int fd) { return close(fd); }

const char *vb_errno_text(int error) { return strerrordesc_np(error); }

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif
#ifndef STATX_ATTR_VERITY
#define STATX_ATTR_VERITY 0x00100000
#endif

static void convert(const struct statx *from, struct vb_stat *to) {
  *to = (struct vb_stat){
      .dev_major = from->stx_dev_major,
      .dev_minor = from->stx_dev_minor,
      .rdev_major = from->stx_rdev_major,
      .rdev_minor = from->stx_rdev_minor,
      .ino = from->stx_ino,
      .mode = from->stx_mode,
      .nlink = from->stx_nlink,
      .uid = from->stx_uid,
      .gid = from->stx_gid,
      .size = from->stx_size,
      .blocks = from->stx_blocks,
      .mtime_sec = from->stx_mtime.tv_sec,
      .mnt_id = from->stx_mnt_id,
      .attributes_verity = (from->stx_attributes & STATX_ATTR_VERITY) != 0,
      .attributes_encrypted = (from->stx_attributes & STATX_ATTR_ENCRYPTED) != 0,
  };
}

int vb_fstatx(int fd, struct vb_stat *out) {
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID_UNIQUE, &status) != 0) return -1;
  convert(&status, out);
  return 0;
}

int vb_statx(const char *path, int follow, struct vb_stat *out) {
  struct statx status;
  int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (statx(AT_FDCWD, path, flags, STATX_BASIC_STATS | STATX_MNT_ID_UNIQUE, &status) != 0) return -1;
  convert(&status, out);
  return 0;
}

int vb_statx_at(int dirfd, const char *name, struct vb_stat *out) {
  struct statx status;
  if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID_UNIQUE, &status) != 0) return -1;
  convert(&status, out);
  return 0;
}

int vb_change_time(int fd, int64_t *seconds, int64_t *nanoseconds) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -1;
  *seconds = status.st_ctim.tv_sec;
  *nanoseconds = status.st_ctim.tv_nsec;
  return 0;
}

int vb_fstatfs_type(int fd, uint64_t *type) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return -1;
  *type = (uint64_t)status.f_type & 0xffffffffu;
  return 0;
}

_Static_assert(VB_ST_RDONLY == ST_RDONLY && VB_ST_NOEXEC == ST_NOEXEC, "flags of a mount");

int64_t vb_fstatfs_flags(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return -1;
  // ST_VALID (include/linux/statfs.h): the flags were filled in.
  if ((status.f_flags & 0x0020) == 0) {
    errno = ENOTSUP;
    return -1;
  }
  return status.f_flags;
}

int vb_begin_sync(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }
