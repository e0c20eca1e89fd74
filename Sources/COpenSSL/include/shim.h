// The functions of libcrypto that the project calls. They are OpenSSL's by name and meaning; libcrypto.c opens the
// library when the first of them is called. Where it cannot be opened, each returns 0 or NULL, which OpenSSL's callers
// take for a failure; none of these functions uses 0 for success.
#ifndef VERITY_BPF_COPENSSL_H
#define VERITY_BPF_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

/// Why libcrypto could not be opened; NULL when it is open. Lives as long as the process.
const char *vb_libcrypto_problem(void);

// What OpenSSL offers as macros only.

/// The bytes a memory BIO holds; they live as long as the BIO is not written to.
static inline long vb_bio_contents(BIO *bio, const unsigned char **bytes) {
  return BIO_get_mem_data(bio, (char **)bytes);
}

static inline STACK_OF(X509) *vb_certificates_new(void) { return sk_X509_new_null(); }
/// Takes the certificate over; 0 when memory ran out.
static inline int vb_certificates_add(STACK_OF(X509) *stack, X509 *certificate) {
  return sk_X509_push(stack, certificate);
}
static inline int vb_certificates_count(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *vb_certificates_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
/// Frees the stack and every certificate in it.
static inline void vb_certificates_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }
/// Frees the stack alone: its certificates belong to someone else.
static inline void vb_certificates_release(STACK_OF(X509) *stack) { sk_X509_free(stack); }

static inline int vb_pkcs7_is_signed(PKCS7 *message) { return PKCS7_type_is_signed(message); }
static inline int vb_pkcs7_is_detached(PKCS7 *message) { return (int)PKCS7_get_detached(message); }
static inline int vb_pkcs7_signer_count(PKCS7 *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(message);
  return signers == NULL ? 0 : sk_PKCS7_SIGNER_INFO_num(signers);
}
/// The NID of the digest that the first signer used; 0 when there is none.
static inline int vb_pkcs7_digest(PKCS7 *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(message);
  X509_ALGOR *algorithm = NULL;
  if (signers == NULL || sk_PKCS7_SIGNER_INFO_num(signers) == 0) return 0;
  PKCS7_SIGNER_INFO_get0_algs(sk_PKCS7_SIGNER_INFO_value(signers, 0), NULL, &algorithm, NULL);
  return algorithm == NULL ? 0 : OBJ_obj2nid(algorithm->algorithm);
}
#endif
