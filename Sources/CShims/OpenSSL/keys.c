#include <pthread.h>
#include <string.h>

#include "libcrypto.h"

_Static_assert(VB_KEY_X25519 == EVP_PKEY_X25519 && VB_KEY_X448 == EVP_PKEY_X448 && VB_KEY_ED25519 == EVP_PKEY_ED25519 &&
                   VB_KEY_ED448 == EVP_PKEY_ED448,
               "numbers of openssl/evp.h");

static OSSL_LIB_CTX *signing_context;
static pthread_once_t configured = PTHREAD_ONCE_INIT;

static void configure(void) {
  OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
  if (context == NULL) return;
  // What openssl.cnf lists must be there: a key that was to be used in FIPS mode is not used without it. No file at all is
  // no mistake.
  if (CONF_modules_load_file_ex(context, NULL, NULL, CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE) > 0)
    signing_context = context;
  else
    OSSL_LIB_CTX_free(context);
}

vb_context *vb_signing_context(void) {
  pthread_once(&configured, configure);
  return (vb_context *)signing_context;
}

/// Answers OpenSSL's question for a pass phrase with the one that is known, and with a refusal when there is none.
static int answer(char *buffer, int size, int is_new, void *data) {
  vb_passphrase *passphrase = data;
  (void)is_new;
  passphrase->was_asked = 1;
  if (passphrase->text == NULL || passphrase->count > size) return -1;
  memcpy(buffer, passphrase->text, (size_t)passphrase->count);
  return passphrase->count;
}

vb_private_key *vb_private_key_from_pem(const void *pem, int size, vb_context *context, vb_passphrase *passphrase) {
  BIO *bio = vb_reading(pem, size);
  if (bio == NULL) return NULL;
  EVP_PKEY *key = PEM_read_bio_PrivateKey_ex(bio, NULL, answer, passphrase, (OSSL_LIB_CTX *)context, NULL);
  BIO_free(bio);
  return (vb_private_key *)key;
}

/// The private key that OpenSSL's engine for PKCS#11 finds under a URI (RFC 7512); NULL when there is none.
static EVP_PKEY *engine_key(const char *uri, UI_METHOD *method, vb_passphrase *passphrase) {
  ENGINE *engine = ENGINE_by_id("pkcs11");
  if (engine == NULL) return NULL;
  EVP_PKEY *key = NULL;
  if (ENGINE_init(engine)) {
    key = ENGINE_load_private_key(engine, uri, method, passphrase);
    // The key holds on to the engine by itself.
    ENGINE_finish(engine);
  }
  ENGINE_free(engine);
  return key;
}

static EVP_PKEY *store_key(const char *uri, OSSL_LIB_CTX *context, UI_METHOD *method, vb_passphrase *passphrase) {
  OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, context, NULL, method, passphrase, NULL, NULL, NULL);
  if (store == NULL) return strncmp(uri, "pkcs11:", 7) == 0 ? engine_key(uri, method, passphrase) : NULL;
  EVP_PKEY *key = NULL;
  if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1) {
    while (key == NULL && !OSSL_STORE_eof(store)) {
      OSSL_STORE_INFO *info = OSSL_STORE_load(store);
      if (info == NULL) break;
      if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) key = OSSL_STORE_INFO_get1_PKEY(info);
      OSSL_STORE_INFO_free(info);
    }
  }
  OSSL_STORE_close(store);
  return key;
}

vb_private_key *vb_private_key_from_uri(const char *uri, vb_context *context, vb_passphrase *passphrase) {
  UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(answer, 0);
  if (method == NULL) return NULL;
  EVP_PKEY *key = store_key(uri, (OSSL_LIB_CTX *)context, method, passphrase);
  UI_destroy_method(method);
  return (vb_private_key *)key;
}

void vb_private_key_free(vb_private_key *key) { EVP_PKEY_free((EVP_PKEY *)key); }

int vb_private_key_kind(const vb_private_key *key) { return EVP_PKEY_get_base_id((const EVP_PKEY *)key); }

vb_certificate *vb_new_signer(const char *name, vb_private_key **out) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  EVP_PKEY *key = NULL;
  *out = NULL;
  if (context == NULL) return NULL;
  int made = EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_group_name(context, "P-256") > 0 &&
             EVP_PKEY_generate(context, &key) > 0;
  EVP_PKEY_CTX_free(context);
  if (!made || key == NULL) return NULL;
  X509 *certificate = X509_new();
  if (certificate != NULL) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, subject) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0) {
      *out = (vb_private_key *)key;
      return (vb_certificate *)certificate;
    }
    X509_free(certificate);
  }
  EVP_PKEY_free(key);
  return NULL;
}
