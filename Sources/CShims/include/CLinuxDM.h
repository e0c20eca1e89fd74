// The device-mapper's control interface (include/uapi/linux/dm-ioctl.h) and mount(2), in the shapes that are used here.
#ifndef VERITY_BPF_CLINUXDM_H
#define VERITY_BPF_CLINUXDM_H
#include <stddef.h>
#include <stdint.h>

// enum of ioctl numbers (dm-ioctl.h).
#define VB_DM_LIST_DEVICES 2
#define VB_DM_DEV_CREATE 3
#define VB_DM_DEV_REMOVE 4
#define VB_DM_DEV_SUSPEND 6
#define VB_DM_DEV_STATUS 7
#define VB_DM_TABLE_LOAD 9
#define VB_DM_TABLE_STATUS 12

// Flags of struct dm_ioctl.
#define VB_DM_READONLY (1u << 0)
#define VB_DM_SUSPEND (1u << 1)
#define VB_DM_STATUS_TABLE (1u << 4)
#define VB_DM_ACTIVE_PRESENT (1u << 5)
#define VB_DM_INACTIVE_PRESENT (1u << 6)
#define VB_DM_BUFFER_FULL (1u << 8)
#define VB_DM_DEFERRED_REMOVE (1u << 17)
#define VB_DM_INTERNAL_SUSPEND (1u << 18)

/// What every command answers in struct dm_ioctl.
struct vb_dm_device {
  uint32_t flags, target_count, event_number;
  int32_t open_count;
  uint64_t major, minor;
  char name[129], uuid[130];  // always ended by a zero
};

/// One command. The device is meant by its name when one is given, else by its number.
///
/// `payload` goes behind the header and is replaced by what the kernel puts there; `*payload_size` is its size on the
/// way in and back, at most `capacity`. Returns 0, or -1 with errno.
int vb_dm_command(int control, unsigned command, uint32_t flags, const char *name, const char *uuid, uint64_t major,
                  uint64_t minor, uint32_t target_count, void *payload, size_t *payload_size, size_t capacity,
                  struct vb_dm_device *out);

/// The bytes of a table with one target (struct dm_target_spec and its parameters). Returns their number, or 0 when
/// they do not fit.
size_t vb_dm_one_target(void *payload, size_t capacity, const char *type, uint64_t sectors, const char *parameters);

// mount(2) flags (include/uapi/linux/mount.h).
#define VB_MS_RDONLY 1
#define VB_MS_NOSUID 2
#define VB_MS_NODEV 4
#define VB_MS_NOEXEC 8
int vb_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int vb_umount(const char *target);
/// unshare(2) CLONE_NEWNS, and every mount private: what the calling thread mounts from now on nobody else sees, and it
/// goes away with the thread.
int vb_unshare_mounts(void);

/// add_key(2) of type "user" into the calling thread's keyring; the key's serial, or -1.
int32_t vb_add_thread_key(const char *description, const void *payload, size_t size);
/// KEYCTL_UNLINK from the calling thread's keyring.
int vb_unlink_thread_key(int32_t serial);
#endif
