#include "libcrypto.h"

#include "../library.h"

#include <openssl/opensslv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

// Most runs need no OpenSSL: SHA-256 has kernels of its own, and only signatures and the longer SHA-2s are left. The relocation
// that linking libcrypto would cost every run is about as much as the rest of start-up together.

#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#define LIBRARY "libcrypto.so." VALUE(OPENSSL_SHLIB_VERSION)

VB_LIBRARY_NOTE(VB_LIBRARY(LIBRARY, "signatures", "signatures, SHA-384 and SHA-512", "recommended"));

static void *library;
static vb_library_problem problem;
static pthread_once_t opened = PTHREAD_ONCE_INIT;

static void open_library(void) {
  // RTLD_NODELETE: OpenSSL registers handlers for the end of the process.
  library = vb_library_open(LIBRARY, RTLD_NODELETE, problem);
  if (library == NULL) return;
  // Before anything else is asked of it: the first other call would read openssl.cnf, whose place the environment names,
  // and load the libraries that it lists. libcryptsetup finds the library in this state too.
  int (*initialise)(uint64_t, const OPENSSL_INIT_SETTINGS *);
  *(void **)&initialise = dlsym(library, "OPENSSL_init_crypto");
  if (initialise == NULL || initialise(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
    snprintf(problem, sizeof problem, "%s: it cannot be initialised", LIBRARY);
    library = NULL;
  }
}

const char *vb_libcrypto_problem(void) {
  pthread_once(&opened, open_library);
  return library == NULL ? problem : NULL;
}

static void *find(_Atomic(void *) *cache, const char *name) {
  void *function = atomic_load_explicit(cache, memory_order_acquire);
  if (function != NULL) return function;
  pthread_once(&opened, open_library);
  if (library == NULL) return NULL;
  function = dlsym(library, name);
  atomic_store_explicit(cache, function, memory_order_release);
  return function;
}

// The functions have OpenSSL's names, and must not stand in for its own inside libcrypto.
#pragma GCC visibility push(hidden)

#define FORWARD(result, name, parameters, arguments)          \
  result name parameters {                                    \
    static _Atomic(void *) cache;                             \
    result(*function) parameters;                             \
    *(void **)&function = find(&cache, #name);                \
    return function == NULL ? (result)0 : function arguments; \
  }

#define FORWARD_VOID(name, parameters, arguments)  \
  void name parameters {                           \
    static _Atomic(void *) cache;                  \
    void(*function) parameters;                    \
    *(void **)&function = find(&cache, #name);     \
    if (function != NULL) function arguments;      \
  }

// Digests.
FORWARD(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * context, const char *algorithm, const char *properties),
        (context, algorithm, properties))
FORWARD_VOID(EVP_MD_free, (EVP_MD * md), (md))
FORWARD(const EVP_MD *, EVP_sha256, (void), ())
FORWARD(const EVP_MD *, EVP_sha384, (void), ())
FORWARD(const EVP_MD *, EVP_sha512, (void), ())
FORWARD(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
FORWARD_VOID(EVP_MD_CTX_free, (EVP_MD_CTX * context), (context))
FORWARD(int, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * out, const EVP_MD_CTX *in), (out, in))
FORWARD(int, EVP_DigestInit_ex2, (EVP_MD_CTX * context, const EVP_MD *type, const OSSL_PARAM parameters[]),
        (context, type, parameters))
FORWARD(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *data, size_t size), (context, data, size))
FORWARD(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *digest, unsigned int *size),
        (context, digest, size))

// Memory and errors.
FORWARD_VOID(CRYPTO_free, (void *memory, const char *file, int line), (memory, file, line))
FORWARD(unsigned long, ERR_get_error, (void), ())
FORWARD_VOID(ERR_clear_error, (void), ())
FORWARD(const char *, ERR_reason_error_string, (unsigned long code), (code))
FORWARD(BIO *, BIO_new, (const BIO_METHOD *type), (type))
FORWARD(BIO *, BIO_new_mem_buf, (const void *bytes, int size), (bytes, size))
FORWARD(int, BIO_free, (BIO * bio), (bio))
FORWARD(const BIO_METHOD *, BIO_s_mem, (void), ())
FORWARD(int, BIO_write, (BIO * bio, const void *bytes, int count), (bio, bytes, count))
FORWARD(long, BIO_ctrl, (BIO * bio, int command, long number, void *pointer), (bio, command, number, pointer))
FORWARD(OPENSSL_STACK *, OPENSSL_sk_new_null, (void), ())
FORWARD(int, OPENSSL_sk_push, (OPENSSL_STACK * stack, const void *element), (stack, element))
FORWARD(int, OPENSSL_sk_num, (const OPENSSL_STACK *stack), (stack))
FORWARD(void *, OPENSSL_sk_value, (const OPENSSL_STACK *stack, int index), (stack, index))
FORWARD_VOID(OPENSSL_sk_pop_free, (OPENSSL_STACK * stack, void (*release)(void *)), (stack, release))
FORWARD_VOID(OPENSSL_sk_free, (OPENSSL_STACK * stack), (stack))

// Keys, certificates and names.
FORWARD(EVP_PKEY *, PEM_read_bio_PrivateKey_ex,
        (BIO * bio, EVP_PKEY **key, pem_password_cb *callback, void *data, OSSL_LIB_CTX *context,
         const char *properties),
        (bio, key, callback, data, context, properties))
FORWARD_VOID(EVP_PKEY_free, (EVP_PKEY * key), (key))
FORWARD(int, PEM_read_bio, (BIO * bio, char **name, char **header, unsigned char **bytes, long *count),
        (bio, name, header, bytes, count))
FORWARD(X509 *, d2i_X509, (X509 * *certificate, const unsigned char **bytes, long count), (certificate, bytes, count))
FORWARD(X509 *, X509_new_ex, (OSSL_LIB_CTX * context, const char *properties), (context, properties))
FORWARD(int, X509_up_ref, (X509 * certificate), (certificate))
FORWARD(int, X509_check_private_key, (const X509 *certificate, const EVP_PKEY *key), (certificate, key))
FORWARD(const ASN1_TIME *, X509_get0_notBefore, (const X509 *certificate), (certificate))
FORWARD(const ASN1_TIME *, X509_get0_notAfter, (const X509 *certificate), (certificate))
FORWARD(X509_NAME *, X509_get_subject_name, (const X509 *certificate), (certificate))
FORWARD(int, X509_NAME_print_ex, (BIO * out, const X509_NAME *name, int indent, unsigned long flags),
        (out, name, indent, flags))
FORWARD(int, ASN1_TIME_to_tm, (const ASN1_TIME *time, struct tm *parts), (time, parts))
FORWARD(uint32_t, X509_get_key_usage, (X509 * certificate), (certificate))
FORWARD(uint32_t, X509_get_extended_key_usage, (X509 * certificate), (certificate))
FORWARD_VOID(X509_free, (X509 * certificate), (certificate))
FORWARD(int, i2d_X509, (const X509 *certificate, unsigned char **out), (certificate, out))
FORWARD(const char *, OBJ_nid2sn, (int nid), (nid))
FORWARD(X509_NAME *, X509_get_issuer_name, (const X509 *certificate), (certificate))
FORWARD(int, i2d_X509_NAME, (const X509_NAME *name, unsigned char **out), (name, out))
FORWARD(EVP_PKEY *, X509_get0_pubkey, (const X509 *certificate), (certificate))
FORWARD(X509_PUBKEY *, X509_get_X509_PUBKEY, (const X509 *certificate), (certificate))
FORWARD(int, X509_PUBKEY_get0_param,
        (ASN1_OBJECT * *algorithm, const unsigned char **bytes, int *count, X509_ALGOR **parameters,
         const X509_PUBKEY *key),
        (algorithm, bytes, count, parameters, key))
FORWARD(int, OBJ_obj2txt, (char *text, int size, const ASN1_OBJECT *object, int numeric),
        (text, size, object, numeric))
FORWARD(int, EVP_PKEY_get_base_id, (const EVP_PKEY *key), (key))
FORWARD(long, ASN1_INTEGER_get, (const ASN1_INTEGER *number), (number))
FORWARD(int, OBJ_find_sigid_algs, (int signature, int *digest, int *key), (signature, digest, key))
FORWARD(int, OBJ_obj2nid, (const ASN1_OBJECT *object), (object))

// New keys and certificates.
FORWARD(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name,
        (OSSL_LIB_CTX * context, const char *name, const char *properties), (context, name, properties))
FORWARD_VOID(EVP_PKEY_CTX_free, (EVP_PKEY_CTX * context), (context))
FORWARD(int, EVP_PKEY_keygen_init, (EVP_PKEY_CTX * context), (context))
FORWARD(int, EVP_PKEY_CTX_set_group_name, (EVP_PKEY_CTX * context, const char *name), (context, name))
FORWARD(int, EVP_PKEY_generate, (EVP_PKEY_CTX * context, EVP_PKEY **key), (context, key))
FORWARD(X509 *, X509_new, (void), ())
FORWARD(int, X509_set_version, (X509 * certificate, long version), (certificate, version))
FORWARD(ASN1_INTEGER *, X509_get_serialNumber, (X509 * certificate), (certificate))
FORWARD(int, ASN1_INTEGER_set, (ASN1_INTEGER * number, long value), (number, value))
FORWARD(ASN1_TIME *, X509_getm_notBefore, (const X509 *certificate), (certificate))
FORWARD(ASN1_TIME *, X509_getm_notAfter, (const X509 *certificate), (certificate))
FORWARD(ASN1_TIME *, X509_gmtime_adj, (ASN1_TIME * time, long seconds), (time, seconds))
FORWARD(int, X509_set_pubkey, (X509 * certificate, EVP_PKEY *key), (certificate, key))
FORWARD(int, X509_NAME_add_entry_by_txt,
        (X509_NAME * name, const char *field, int type, const unsigned char *bytes, int count, int place, int set),
        (name, field, type, bytes, count, place, set))
FORWARD(int, X509_set_issuer_name, (X509 * certificate, const X509_NAME *name), (certificate, name))
FORWARD(int, X509_sign, (X509 * certificate, EVP_PKEY *key, const EVP_MD *digest), (certificate, key, digest))
FORWARD(int, PEM_write_bio_X509, (BIO * bio, const X509 *certificate), (bio, certificate))

// Configuration, and keys behind URIs.
FORWARD(OSSL_LIB_CTX *, OSSL_LIB_CTX_new, (void), ())
FORWARD_VOID(OSSL_LIB_CTX_free, (OSSL_LIB_CTX * context), (context))
FORWARD(int, CONF_modules_load_file_ex,
        (OSSL_LIB_CTX * context, const char *file, const char *application, unsigned long flags),
        (context, file, application, flags))
FORWARD(UI_METHOD *, UI_UTIL_wrap_read_pem_callback, (pem_password_cb * callback, int is_new), (callback, is_new))
FORWARD_VOID(UI_destroy_method, (UI_METHOD * method), (method))
FORWARD(OSSL_STORE_CTX *, OSSL_STORE_open_ex,
        (const char *uri, OSSL_LIB_CTX *context, const char *properties, const UI_METHOD *method, void *data,
         const OSSL_PARAM parameters[], OSSL_STORE_post_process_info_fn process, void *process_data),
        (uri, context, properties, method, data, parameters, process, process_data))
FORWARD(int, OSSL_STORE_expect, (OSSL_STORE_CTX * store, int type), (store, type))
FORWARD(int, OSSL_STORE_eof, (OSSL_STORE_CTX * store), (store))
FORWARD(int, OSSL_STORE_close, (OSSL_STORE_CTX * store), (store))
FORWARD(OSSL_STORE_INFO *, OSSL_STORE_load, (OSSL_STORE_CTX * store), (store))
FORWARD(int, OSSL_STORE_INFO_get_type, (const OSSL_STORE_INFO *info), (info))
FORWARD(EVP_PKEY *, OSSL_STORE_INFO_get1_PKEY, (const OSSL_STORE_INFO *info), (info))
FORWARD_VOID(OSSL_STORE_INFO_free, (OSSL_STORE_INFO * info), (info))
FORWARD(ENGINE *, ENGINE_by_id, (const char *name), (name))
FORWARD(int, ENGINE_init, (ENGINE * engine), (engine))
FORWARD(int, ENGINE_finish, (ENGINE * engine), (engine))
FORWARD(int, ENGINE_free, (ENGINE * engine), (engine))
FORWARD(EVP_PKEY *, ENGINE_load_private_key, (ENGINE * engine, const char *name, UI_METHOD *method, void *data),
        (engine, name, method, data))

// PKCS#7.
FORWARD(PKCS7 *, PKCS7_sign_ex,
        (X509 * certificate, EVP_PKEY *key, STACK_OF(X509) * others, BIO *data, int flags, OSSL_LIB_CTX *context,
         const char *properties),
        (certificate, key, others, data, flags, context, properties))
FORWARD(int, PKCS7_verify,
        (PKCS7 * message, STACK_OF(X509) * certificates, X509_STORE *store, BIO *input, BIO *output, int flags),
        (message, certificates, store, input, output, flags))
FORWARD_VOID(PKCS7_free, (PKCS7 * message), (message))
FORWARD(long, PKCS7_ctrl, (PKCS7 * message, int command, long number, char *pointer),
        (message, command, number, pointer))
FORWARD(STACK_OF(X509) *, PKCS7_get0_signers, (PKCS7 * message, STACK_OF(X509) * certificates, int flags),
        (message, certificates, flags))
FORWARD(STACK_OF(PKCS7_SIGNER_INFO) *, PKCS7_get_signer_info, (PKCS7 * message), (message))
FORWARD_VOID(PKCS7_SIGNER_INFO_get0_algs,
             (PKCS7_SIGNER_INFO * signer, EVP_PKEY **key, X509_ALGOR **digest, X509_ALGOR **signature),
             (signer, key, digest, signature))
FORWARD(ASN1_TYPE *, PKCS7_get_signed_attribute, (const PKCS7_SIGNER_INFO *signer, int name), (signer, name))
FORWARD(PKCS7 *, d2i_PKCS7, (PKCS7 * *message, const unsigned char **bytes, long size), (message, bytes, size))
FORWARD(int, i2d_PKCS7, (const PKCS7 *message, unsigned char **out), (message, out))
#pragma GCC visibility pop
