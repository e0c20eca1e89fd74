// What the running kernel is asked about itself: keyrings, security modules, signatures of BPF programs, fs-verity.
#ifndef VERITY_BPF_CLINUXHOST_H
#define VERITY_BPF_CLINUXHOST_H
#include <stddef.h>
#include <stdint.h>

/// KEYCTL_READ of a keyring: the serials of what is linked to it. Returns the size in bytes, which may be more than
/// `capacity`, or -1.
long vb_keyring_read(int32_t keyring, void *serials, size_t capacity);
/// KEYCTL_DESCRIBE: `type;uid;gid;perm;description`, ended by a zero. Returns the size, which may be more than
/// `capacity`, or -1.
long vb_key_describe(int32_t key, char *text, size_t capacity);

/// lsm_list_modules(2) (6.8): the ids of the active security modules in their order (include/uapi/linux/lsm.h).
/// Returns their number, or -1.
int vb_lsm_list(uint64_t *ids, size_t capacity);

/// Loads a program of two instructions that does nothing, and closes it at once, with `signature` in BPF_PROG_LOAD's
/// signature fields (6.18); without one when it is NULL. Returns 0 when the kernel took it, else the errno.
int vb_probe_program_signature(const void *signature, uint32_t size, int32_t keyring);

/// Loads a raw tracepoint program that calls `helper` (enum bpf_func_id) with a stack buffer, 8 and NULL, and closes it
/// at once; without the call when `helper` is 0. Returns 0 when the kernel took it, else the errno.
int vb_probe_helper(int32_t helper);

/// FS_IOC_MEASURE_VERITY. Returns the digest's size and sets the algorithm (FS_VERITY_HASH_ALG_*), or -1.
int vb_verity_measure(int fd, uint16_t *algorithm, void *digest, size_t capacity);
/// FS_IOC_READ_VERITY_METADATA (5.12). Returns the bytes read, 0 at the end, or -1.
long vb_verity_metadata(int fd, uint64_t type, uint64_t offset, void *buffer, size_t capacity);
#define VB_VERITY_METADATA_DESCRIPTOR 2
#define VB_VERITY_METADATA_SIGNATURE 3

/// A stretch of a file and where its file system has it on the device, in bytes (include/uapi/linux/fiemap.h).
struct vb_extent {
  uint64_t logical, physical, length;
  uint32_t flags;
};
/// The extent is the file's last.
#define VB_FIEMAP_EXTENT_LAST 0x1
/// FS_IOC_FIEMAP from byte `start` on, without writing anything back. Returns how many extents were put down, or -1.
int vb_extents(int fd, uint64_t start, struct vb_extent *extents, uint32_t capacity);

/// BTRFS_IOC_FS_INFO of a file of btrfs: the number of devices, the highest id of one, and the UUID under which sysfs has
/// the file system. Returns 0, or -1.
int vb_btrfs_info(int fd, uint64_t *devices, uint64_t *highest, uint8_t uuid[16]);
/// BTRFS_IOC_DEV_INFO: 0 when the file system has a device of that id, seed devices among them; else -1 (ENODEV).
int vb_btrfs_device(int fd, uint64_t id);
#endif
