#define _GNU_SOURCE
#include "CLinuxDM.h"

#include <errno.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(VB_DM_LIST_DEVICES == DM_LIST_DEVICES_CMD, "dm commands");
_Static_assert(VB_DM_DEV_CREATE == DM_DEV_CREATE_CMD && VB_DM_DEV_REMOVE == DM_DEV_REMOVE_CMD, "dm commands");
_Static_assert(VB_DM_DEV_SUSPEND == DM_DEV_SUSPEND_CMD && VB_DM_DEV_STATUS == DM_DEV_STATUS_CMD, "dm commands");
_Static_assert(VB_DM_TABLE_LOAD == DM_TABLE_LOAD_CMD && VB_DM_TABLE_STATUS == DM_TABLE_STATUS_CMD, "dm commands");
_Static_assert(VB_DM_READONLY == DM_READONLY_FLAG && VB_DM_SUSPEND == DM_SUSPEND_FLAG, "dm flags");
_Static_assert(VB_DM_STATUS_TABLE == DM_STATUS_TABLE_FLAG && VB_DM_ACTIVE_PRESENT == DM_ACTIVE_PRESENT_FLAG, "dm flags");
_Static_assert(VB_DM_INACTIVE_PRESENT == DM_INACTIVE_PRESENT_FLAG && VB_DM_BUFFER_FULL == DM_BUFFER_FULL_FLAG, "dm flags");
_Static_assert(VB_DM_DEFERRED_REMOVE == DM_DEFERRED_REMOVE && VB_DM_INTERNAL_SUSPEND == DM_INTERNAL_SUSPEND_FLAG, "dm flags");
_Static_assert(VB_MS_RDONLY == MS_RDONLY && VB_MS_NOSUID == MS_NOSUID && VB_MS_NODEV == MS_NODEV, "mount flags");
_Static_assert(VB_MS_NOEXEC == MS_NOEXEC, "mount flags");

// The kernel's huge_encode_dev (include/linux/kdev_t.h), which dm-ioctl uses for `dev`.
static uint64_t encode_device(uint64_t major, uint64_t minor) {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffull) << 12);
}

int vb_dm_command(int control, unsigned command, uint32_t flags, const char *name, const char *uuid, uint64_t major,
                  uint64_t minor, uint32_t target_count, void *payload, size_t *payload_size, size_t capacity,
                  struct vb_dm_device *out) {
  size_t size = sizeof(struct dm_ioctl) + capacity;
  if (size > UINT32_MAX || *payload_size > capacity) {
    errno = E2BIG;
    return -1;
  }
  struct dm_ioctl *request = calloc(1, size);
  if (request == NULL) return -1;
  // 4.0.0: the interface has had this major version for as long as there are verity targets.
  request->version[0] = 4;
  request->data_size = (uint32_t)size;
  request->data_start = sizeof(*request);
  request->target_count = target_count;
  request->flags = flags;
  if (name != NULL && (strlen(name) >= sizeof(request->name) || (uuid && strlen(uuid) >= sizeof(request->uuid)))) {
    free(request);
    errno = ENAMETOOLONG;
    return -1;
  }
  if (name != NULL) {
    strcpy(request->name, name);
    if (uuid != NULL) strcpy(request->uuid, uuid);
  } else {
    request->dev = encode_device(major, minor);
  }
  if (*payload_size != 0) memcpy((char *)request + sizeof(*request), payload, *payload_size);

  int result = ioctl(control, _IOWR(DM_IOCTL, command, struct dm_ioctl), request);
  int error = errno;
  if (result == 0) {
    memset(out, 0, sizeof(*out));
    out->flags = request->flags;
    out->target_count = request->target_count;
    out->event_number = request->event_nr;
    out->open_count = request->open_count;
    out->major = (request->dev & 0xfff00) >> 8;
    out->minor = (request->dev & 0xff) | ((request->dev >> 12) & 0xfff00);
    memcpy(out->name, request->name, sizeof(request->name));
    memcpy(out->uuid, request->uuid, sizeof(request->uuid));
    size_t start = request->data_start, end = request->data_size;
    *payload_size = 0;
    if (start >= sizeof(*request) && start <= end && end <= size) {
      *payload_size = end - start;
      memcpy(payload, (char *)request + start, end - start);
    }
  }
  free(request);
  errno = error;
  return result == 0 ? 0 : -1;
}

size_t vb_dm_one_target(void *payload, size_t capacity, const char *type, uint64_t sectors, const char *parameters) {
  struct dm_target_spec spec = {.length = sectors};
  size_t length = strlen(parameters) + 1;
  // Rounded as the kernel wants the next target's place; there is none, but it checks.
  size_t size = (sizeof(spec) + length + 7) & ~(size_t)7;
  if (strlen(type) >= sizeof(spec.target_type) || size > capacity) return 0;
  strcpy(spec.target_type, type);
  spec.next = (uint32_t)size;
  memset(payload, 0, size);
  memcpy(payload, &spec, sizeof(spec));
  memcpy((char *)payload + sizeof(spec), parameters, length);
  return size;
}

int vb_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
  return mount(source, target, type, flags, data);
}

int vb_umount(const char *target) { return umount2(target, UMOUNT_NOFOLLOW); }

int vb_unshare_mounts(void) {
  if (unshare(CLONE_NEWNS) != 0) return -1;
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int32_t vb_add_thread_key(const char *description, const void *payload, size_t size) {
  return (int32_t)syscall(SYS_add_key, "user", description, payload, size, KEY_SPEC_THREAD_KEYRING);
}

int vb_unlink_thread_key(int32_t serial) {
  return (int)syscall(SYS_keyctl, KEYCTL_UNLINK, serial, KEY_SPEC_THREAD_KEYRING);
}
