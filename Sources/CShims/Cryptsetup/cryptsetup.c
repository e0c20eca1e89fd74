#include "CCryptsetup.h"
#include "COpenSSL.h"

#include "../library.h"

#include <libcryptsetup.h>
#include <string.h>

// The functions that are used, with the header's own types, so that the compiler checks every call.
struct functions {
  __typeof__(&crypt_init_data_device) init_data_device;
  __typeof__(&crypt_load) load;
  __typeof__(&crypt_activate_by_signed_key) activate_by_signed_key;
  __typeof__(&crypt_activate_by_volume_key) activate_by_volume_key;
  __typeof__(&crypt_deactivate_by_name) deactivate_by_name;
  __typeof__(&crypt_set_log_callback) set_log_callback;
  __typeof__(&crypt_free) free;
};

struct log {
  char *text;
  size_t size;
  size_t used;
};

static void append(int level, const char *message, void *user) {
  struct log *log = user;
  if (level != CRYPT_LOG_ERROR || !log || log->used + 1 >= log->size) return;
  size_t room = log->size - log->used - 1;
  size_t count = strlen(message);
  if (count > room) count = room;
  memcpy(log->text + log->used, message, count);
  log->used += count;
  log->text[log->used] = '\0';
}

static int load_library(struct functions *functions, struct log *log) {
  // libcryptsetup digests with libcrypto, which is initialised without a configuration where that was opened first. Without
  // libcrypto it digests with something else.
  const char *problem = vb_libcrypto_problem();
  if (problem) append(CRYPT_LOG_VERBOSE, problem, log);
  vb_library_problem failure = "";
  void *library = vb_library_open("libcryptsetup.so.12", 0, failure);
#define FIND(name) VB_LIBRARY_FIND(library, functions->name, "crypt_" #name, failure)
  if (!library || !FIND(init_data_device) || !FIND(load) || !FIND(activate_by_signed_key) ||
      !FIND(activate_by_volume_key) || !FIND(deactivate_by_name) || !FIND(set_log_callback) || !FIND(free)) {
    append(CRYPT_LOG_ERROR, failure, log);
    return VB_NO_CRYPTSETUP;
  }
#undef FIND
  functions->set_log_callback(NULL, append, log);
  return 0;
}

struct vb_crypt_result vb_verity_activate(const struct vb_verity_request *request, char *text, size_t size) {
  struct log log = {.text = text, .size = size};
  if (size) text[0] = '\0';
  struct functions crypt;
  int result = load_library(&crypt, &log);
  if (result) return (struct vb_crypt_result){result};
  struct crypt_device *device = NULL;
  struct crypt_params_verity parameters = {.hash_area_offset = request->hash_offset};
  result = crypt.init_data_device(&device, request->hash_device, request->data_device);
  if (result >= 0) crypt.set_log_callback(device, append, &log);
  if (result >= 0) result = crypt.load(device, CRYPT_VERITY, &parameters);
  if (result >= 0 && request->signature) {
    result = crypt.activate_by_signed_key(device, request->name, request->root_hash, request->root_hash_size,
                                          request->signature, request->signature_size, CRYPT_ACTIVATE_READONLY);
  } else if (result >= 0) {
    result = crypt.activate_by_volume_key(device, request->name, request->root_hash, request->root_hash_size,
                                          CRYPT_ACTIVATE_READONLY);
  }
  crypt.free(device);
  // The buffer is the caller's.
  crypt.set_log_callback(NULL, NULL, NULL);
  return (struct vb_crypt_result){result < 0 ? result : 0};
}

struct vb_crypt_result vb_verity_deactivate(const char *name, char *text, size_t size) {
  struct log log = {.text = text, .size = size};
  if (size) text[0] = '\0';
  struct functions crypt;
  int result = load_library(&crypt, &log);
  if (result) return (struct vb_crypt_result){result};
  result = crypt.deactivate_by_name(NULL, name, CRYPT_DEACTIVATE_DEFERRED);
  crypt.set_log_callback(NULL, NULL, NULL);
  return (struct vb_crypt_result){result < 0 ? result : 0};
}
