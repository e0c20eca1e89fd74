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
#endif
