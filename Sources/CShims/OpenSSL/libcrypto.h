// OpenSSL's own declarations, for the files of this folder; libcrypto.c forwards each function that they use. Where the
// library cannot be opened, each returns 0 or NULL, and none of these functions uses that for success.
#ifndef VERITY_BPF_LIBCRYPTO_H
#define VERITY_BPF_LIBCRYPTO_H
// Engines are deprecated, and all that some systems have for PKCS#11.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "COpenSSL.h"

/// A memory BIO that reads bytes, or NULL.
static inline BIO *vb_reading(const void *bytes, int size) {
  return size < 0 ? NULL : BIO_new_mem_buf(bytes == NULL ? "" : bytes, size);
}

/// A copy of what was written to a memory BIO, which is freed; NULL when there is none. An empty text is no failure.
unsigned char *vb_written(BIO *bio, size_t *count);

static inline vb_outcome vb_outcome_of(int is_done) { return (vb_outcome){is_done ? 1 : 0}; }
#endif
