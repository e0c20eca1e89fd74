// dm-verity activation through libcryptsetup, which is loaded when it is first needed: few runs of the program
// activate anything, and the library brings a dozen others with it.
#ifndef VB_CRYPTSETUP_H
#define VB_CRYPTSETUP_H

#include <stddef.h>
#include <stdint.h>

// Result when libcryptsetup.so.12 cannot be loaded; the log says why. Other failures are negative errno values.
#define VB_NO_CRYPTSETUP (-4095)

// What is to become a device-mapper volume.
struct vb_verity_request {
  const char *name;         // below /dev/mapper
  const char *data_device;  // a block device
  const char *hash_device;  // a block device, possibly the same
  uint64_t hash_offset;     // where the superblock is on it, in bytes
  const void *root_hash;
  size_t root_hash_size;
  const void *signature;  // detached PKCS#7 in DER, or NULL
  size_t signature_size;
};

// Activates a volume, read-only. `log` gets the library's own messages, which alone tell the kernel's reason.
int vb_verity_activate(const struct vb_verity_request *request, char *log, size_t log_size);

// Removes an active volume: now, or by the kernel when its last user is gone (deferred removal).
int vb_verity_deactivate(const char *name, char *log, size_t log_size);

#endif
