// Linux interfaces that Swift's Glibc module does not show, or that are newer than the distribution's headers.
// This header includes no glibc header but these two: feature macros in a header would clash with Swift's
// Glibc module. It decides nothing.
#ifndef VERITY_BPF_CLINUXSHIM_H
#define VERITY_BPF_CLINUXSHIM_H
#include <stddef.h>
#include <stdint.h>

#include "CLinuxBPF.h"
#include "CLinuxDM.h"
#include "CLinuxHelper.h"
#include "CLinuxHost.h"

// open(2) flags (include/uapi/asm-generic/fcntl.h); checked against the system's headers in fd.c.
#define VB_O_RDONLY 00
#define VB_O_WRONLY 01
#define VB_O_RDWR 02
#define VB_O_CREAT 0100
#define VB_O_EXCL 0200
#define VB_O_TRUNC 01000
#define VB_O_APPEND 02000
#define VB_O_NONBLOCK 04000
#define VB_O_DIRECTORY 0200000
#define VB_O_NOFOLLOW 0400000
#define VB_O_CLOEXEC 02000000
#define VB_O_PATH 010000000

int vb_open(const char *path, int flags, unsigned mode);
int vb_openat(int dirfd, const char *path, int flags, unsigned mode);
/// openat2(2) with RESOLVE_NO_XDEV and RESOLVE_NO_MAGICLINKS: the path may not leave the directory's mount. EXDEV where
/// something is mounted on the way or on its end.
int vb_open_within_mount(int dirfd, const char *path, int flags);
/// What /proc/PID/comm says of the calling thread, with its end (PR_GET_NAME).
int vb_get_command(char name[16]);

/// sync_file_range(2) of a whole file with SYNC_FILE_RANGE_WRITE.
int vb_begin_sync(int fd);

/// Asks the kernel whether the file may be executed (execveat(2) with AT_EXECVE_CHECK), and executes nothing.
///
/// Returns 0 when it may be, else the errno.
int vb_check_execution(int fd);

/// The number of the descriptor that the kernel has opened on the file that was executed, where binfmt_misc started this
/// process for it (AT_EXECFD of getauxval(3)); -1 where it was started in another way.
int vb_executed_file(void);
/// Whether the caller's own argv[0] stands behind the file's path (flag P of binfmt_misc).
int vb_keeps_first_word(void);

/// Whether the process ignores a signal (sigaction(2)).
int vb_signal_is_ignored(int signal);

// The number of the processor that the calling thread runs on; -1 when the kernel does not say.
int vb_processor(void);
// Moves the calling thread so many processors on from one, counting those it may run on, and lets the kernel move it
// again from there. -1 when it stays where it is.
int vb_move_thread(int from, unsigned steps);
int vb_fcntl_getfl(int fd);
/// preadv2(2) with RWF_NOWAIT: as much as is in memory already; -1 (EAGAIN, or EOPNOTSUPP) when nothing is.
int64_t vb_pread_cached(int fd, void *buffer, size_t count, int64_t offset);
int vb_fcntl_dupfd_cloexec(int fd);
int vb_set_cloexec(int fd);
int vb_memfd_create(const char *name);
/// Seals a memfd against writing, growing, shrinking and further sealing.
int vb_memfd_seal(int fd);
int vb_close(int fd);
/// flock(2) LOCK_EX. (Swift sees only the struct of that name.)
int vb_lock_exclusive(int fd);
/// The same without waiting: -1 and EWOULDBLOCK where another has the lock.
int vb_lock_exclusive_now(int fd);
/// flock(2) LOCK_UN.
int vb_unlock(int fd);
const char *vb_errno_text(int error);

struct vb_stat {
  uint64_t dev_major, dev_minor, rdev_major, rdev_minor;
  uint64_t ino, mode, nlink, uid, gid, size, blocks;
  int64_t mtime_sec;
  uint64_t mnt_id;      // STATX_MNT_ID_UNIQUE where the kernel has it
  uint32_t attributes_verity;
  uint32_t attributes_encrypted;
};
/// statx(2) of an open fd.
int vb_fstatx(int fd, struct vb_stat *out);
/// statx(2) of a path; follow != 0 follows a last symbolic link.
int vb_statx(const char *path, int follow, struct vb_stat *out);
/* getxattr(2): bytes read, or -1. */
long vb_getxattr(const char *path, const char *name, void *value, unsigned long size);
/// renameat2(2) with RENAME_EXCHANGE: both paths are there, and each gets what the other led to.
int vb_exchange(const char *path, const char *other);
/// statx(2) of a name in a directory, of a symbolic link itself.
int vb_statx_at(int dirfd, const char *name, struct vb_stat *out);
/// When the inode was changed last (st_ctim of fstat(2)); of a directory also when a name in it was.
int vb_change_time(int fd, int64_t *seconds, int64_t *nanoseconds);
/// f_type of statfs(2).
int vb_fstatfs_type(int fd, uint64_t *type);
// f_flags of statfs(2), which are those of statvfs(3).
#define VB_ST_RDONLY 1
#define VB_ST_NOEXEC 8
/// f_flags of statfs(2), the ST_ flags of the mount and its file system together; -1 when the kernel does not say.
int64_t vb_fstatfs_flags(int fd);

// loop(4): include/uapi/linux/loop.h, include/uapi/linux/fs.h (BLKGETDISKSEQ).
struct vb_loop_status {
  uint64_t device, inode, rdevice, offset, sizelimit;
  uint32_t number, flags;
  char file_name[65];
};
#define VB_LO_FLAGS_READ_ONLY 1
#define VB_LO_FLAGS_AUTOCLEAR 4
#define VB_LO_FLAGS_PARTSCAN 8
int vb_loop_get_status(int fd, struct vb_loop_status *out);
int vb_loop_get_free(int control_fd);
/// LOOP_CONFIGURE: binds backing_fd, read-only when flags say so. The label is lo_file_name, any text of whoever sets the
/// device up, of at most 63 bytes.
int vb_loop_configure(int loop_fd, int backing_fd, uint32_t flags, uint64_t offset, uint64_t size_limit,
                      const char *label);
int vb_loop_clear(int loop_fd);
int vb_loop_change_fd(int loop_fd, int backing_fd);
int vb_disk_sequence(int block_fd, uint64_t *sequence);
int vb_block_device_size(int block_fd, uint64_t *bytes);

/// The fields of struct perf_event_attr (include/uapi/linux/perf_event.h) that are used here; the others are zero.
struct vb_perf_event {
  uint32_t type;
  uint64_t config, config1, config2;
  uint64_t period;     // sample_period, when frequency is 0
  uint64_t frequency;  // sample_freq, in Hz
};
/// perf_event_open(2) without a group, close-on-exec.
int vb_perf_event_open(const struct vb_perf_event *event, int pid, int cpu);
/// PERF_EVENT_IOC_ENABLE.
int vb_perf_event_enable(int fd);

/// bpf(2). Returns the command's result, or -1 with errno.
int vb_bpf(unsigned command, void *attributes, unsigned size);

/// Reads and writes of memory that is shared with the kernel, in the order in which the ring buffer wants them.
uint64_t vb_load_acquire_64(const void *place);
uint32_t vb_load_acquire_32(const void *place);
void vb_store_release_64(void *place, uint64_t value);
/// poll(2) for POLLIN: 1 when there is something, 0 when the time is over, -1 with errno.
int vb_poll_readable(int fd, int milliseconds);
#endif
