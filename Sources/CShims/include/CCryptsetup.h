// dm-verity activation through libcryptsetup, which is loaded when it is first needed: few runs of the program
// activate anything, and the library brings a dozen others with it.
#ifndef VB_CRYPTSETUP_H
#define VB_CRYPTSETUP_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// How a call ended: 0, a negative errno value, or VB_NO_CRYPTSETUP. A value of its own, so that it is looked at.
struct vb_crypt_result {
  int code;
};

// The code when libcryptsetup.so.12 cannot be loaded; the log says why.
#define VB_NO_CRYPTSETUP (-4095)

// What is to become a device-mapper volume.
struct vb_verity_request {
  const char *name;         // below /dev/mapper
  const char *data_device;  // a block device
  const char *hash_device;  // a block device, possibly the same
  uint64_t hash_offset;     // where the superblock is on it, in bytes
  const void *_Nullable root_hash;
  size_t root_hash_size;
  const void *_Nullable signature;  // detached PKCS#7 in DER, or NULL
  size_t signature_size;
};

// Activates a volume, read-only. `log` gets the library's own messages, which alone tell the kernel's reason.
__attribute__((warn_unused_result)) struct vb_crypt_result vb_verity_activate(
    const struct vb_verity_request *request, char *_Nullable log, size_t log_size);

// Removes an active volume: now, or by the kernel when its last user is gone (deferred removal).
__attribute__((warn_unused_result)) struct vb_crypt_result vb_verity_deactivate(
    const char *name, char *_Nullable log, size_t log_size);

#pragma clang assume_nonnull end

#endif
