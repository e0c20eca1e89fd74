#include <stdlib.h>

#include "libcrypto.h"

struct vb_digest {
  EVP_MD *implementation;
  EVP_MD_CTX *prefixed;
  EVP_MD_CTX *working;
};

vb_digest *vb_digest_new(const char *name, const void *prefix, size_t count) {
  vb_digest *digest = calloc(1, sizeof *digest);
  if (digest == NULL) return NULL;
  digest->implementation = EVP_MD_fetch(NULL, name, NULL);
  digest->prefixed = EVP_MD_CTX_new();
  digest->working = EVP_MD_CTX_new();
  if (digest->implementation != NULL && digest->prefixed != NULL && digest->working != NULL &&
      EVP_DigestInit_ex2(digest->prefixed, digest->implementation, NULL) == 1 &&
      EVP_DigestUpdate(digest->prefixed, prefix, count) == 1 &&
      EVP_MD_CTX_copy_ex(digest->working, digest->prefixed) == 1)
    return digest;
  vb_digest_free(digest);
  return NULL;
}

vb_outcome vb_digest_update(vb_digest *digest, const void *bytes, size_t count) {
  return vb_outcome_of(EVP_DigestUpdate(digest->working, bytes, count) == 1);
}

vb_outcome vb_digest_finish(vb_digest *digest, unsigned char *out) {
  return vb_outcome_of(EVP_DigestFinal_ex(digest->working, out, NULL) == 1 &&
                       EVP_MD_CTX_copy_ex(digest->working, digest->prefixed) == 1);
}

void vb_digest_free(vb_digest *digest) {
  EVP_MD_CTX_free(digest->working);
  EVP_MD_CTX_free(digest->prefixed);
  EVP_MD_free(digest->implementation);
  free(digest);
}
