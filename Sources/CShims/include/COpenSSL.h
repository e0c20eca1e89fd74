// The functions of libcrypto that the project calls. They are OpenSSL's by name and meaning; libcrypto.c opens the
// library when the first of them is called. Where it cannot be opened, each returns 0 or NULL, which OpenSSL's callers
// take for a failure; none of these functions uses 0 for success.
#ifndef VERITY_BPF_COPENSSL_H
#define VERITY_BPF_COPENSSL_H
// Engines are deprecated, and all that some systems have for PKCS#11.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

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
  int count = signers == NULL ? 0 : sk_PKCS7_SIGNER_INFO_num(signers);
  return count < 0 ? 0 : count;
}
/// The NID of the digest that the first signer used; 0 when there is none.
static inline int vb_pkcs7_digest(PKCS7 *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(message);
  X509_ALGOR *algorithm = NULL;
  if (signers == NULL || sk_PKCS7_SIGNER_INFO_num(signers) == 0) return 0;
  PKCS7_SIGNER_INFO_get0_algs(sk_PKCS7_SIGNER_INFO_value(signers, 0), NULL, &algorithm, NULL);
  return algorithm == NULL ? 0 : OBJ_obj2nid(algorithm->algorithm);
}
/// Whether the first signer signed attributes, or added some unsigned.
static inline int vb_pkcs7_has_attributes(PKCS7 *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(message);
  if (signers == NULL || sk_PKCS7_SIGNER_INFO_num(signers) == 0) return 0;
  PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(signers, 0);
  return PKCS7_get_signed_attributes(signer) != NULL || PKCS7_get_attributes(signer) != NULL;
}

/// Whether an algorithm's parameters are absent or NULL, as those of digests and of RSA and ECDSA signatures are.
static inline int vb_has_no_parameters(const X509_ALGOR *algorithm) {
  return algorithm != NULL && (algorithm->parameter == NULL || algorithm->parameter->type == V_ASN1_NULL);
}
static inline int vb_is_same_name(const X509_NAME *one, const X509_NAME *other) {
  unsigned char *left = NULL, *right = NULL;
  int count = i2d_X509_NAME(one, &left), others = i2d_X509_NAME(other, &right);
  int same = count > 0 && count == others && memcmp(left, right, (size_t)count) == 0;
  CRYPTO_free(left, NULL, 0);
  CRYPTO_free(right, NULL, 0);
  return same;
}
static inline int vb_is_same_certificate(const X509 *one, const X509 *other) {
  unsigned char *left = NULL, *right = NULL;
  int count = i2d_X509(one, &left), others = i2d_X509(other, &right);
  int same = count > 0 && count == others && memcmp(left, right, (size_t)count) == 0;
  CRYPTO_free(left, NULL, 0);
  CRYPTO_free(right, NULL, 0);
  return same;
}
/// Writes the object identifier of the algorithm that a certificate's key is for, as dotted text with a NUL at its end; 0 when
/// there is none, or none that fits.
static inline int vb_key_algorithm(const X509 *certificate, char *text, int size) {
  X509_PUBKEY *key = X509_get_X509_PUBKEY(certificate);
  ASN1_OBJECT *algorithm = NULL;
  if (key == NULL || X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, key) != 1 || algorithm == NULL) return 0;
  int count = OBJ_obj2txt(text, size, algorithm, 1);
  return count > 0 && count < size;
}
/// Whether a signed attribute is there and its value of a type. Releases of OpenSSL up to 3.0.18 take the digest among the
/// attributes for a string without looking at its type (CVE-2026-22796).
static inline int vb_is_attribute(const PKCS7_SIGNER_INFO *signer, int name, int type) {
  const ASN1_TYPE *value = PKCS7_get_signed_attribute(signer, name);
  return value != NULL && value->type == type;
}
/// What is unusual in the parts of a message by one signer that the signature is not over, and that OpenSSL does not look
/// at or compares loosely; NULL when they are as RFC 2315 has them.
static inline const char *vb_pkcs7_oddity(PKCS7 *message, X509 *certificate) {
  PKCS7_SIGNED *data = message->d.sign;
  if (data == NULL || data->contents == NULL || sk_PKCS7_SIGNER_INFO_num(data->signer_info) != 1) return "no one signer";
  PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(data->signer_info, 0);
  // RFC 5652, 5.1: plain data, and a signer named by issuer and number.
  if (ASN1_INTEGER_get(data->version) != 1 || ASN1_INTEGER_get(signer->version) != 1) return "an unknown version";
  if (OBJ_obj2nid(data->contents->type) != NID_pkcs7_data) return "content that is no plain data";
  int digest = OBJ_obj2nid(signer->digest_alg->algorithm);
  if (sk_X509_ALGOR_num(data->md_algs) != 1) return "more or less than one digest";
  X509_ALGOR *listed = sk_X509_ALGOR_value(data->md_algs, 0);
  if (OBJ_obj2nid(listed->algorithm) != digest) return "another digest than the signer's";
  if (!vb_has_no_parameters(listed) || !vb_has_no_parameters(signer->digest_alg) ||
      !vb_has_no_parameters(signer->digest_enc_alg))
    return "an algorithm with parameters";
  if (PKCS7_get_signed_attributes(signer) != NULL && !vb_is_attribute(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING))
    return "attributes without a digest";
  EVP_PKEY *public_key = X509_get0_pubkey(certificate);
  if (public_key == NULL) return "a signer whose key is of an unknown kind";
  int key = EVP_PKEY_get_base_id(public_key), of_digest = digest, of_key = key;
  int algorithm = OBJ_obj2nid(signer->digest_enc_alg->algorithm);
  if (algorithm != key && OBJ_find_sigid_algs(algorithm, &of_digest, &of_key) != 1) return "an unknown kind of signature";
  if (of_digest != digest || of_key != key) return "a signature of another kind than the signer's key";
  // Nothing covers what else the message carries.
  if (sk_X509_CRL_num(data->crl) > 0) return "a list of revoked certificates";
  if (sk_X509_num(data->cert) > 1) return "more certificates than the signer's";
  if (sk_X509_num(data->cert) == 1 && !vb_is_same_certificate(sk_X509_value(data->cert, 0), certificate))
    return "a certificate that is not the signer's";
  // OpenSSL finds the certificate by a comparison that does not tell capital letters from small ones.
  if (!vb_is_same_name(signer->issuer_and_serial->issuer, X509_get_issuer_name(certificate))) return "another spelling of the issuer";
  return NULL;
}

/// A time as seconds since 1970-01-01T00:00:00Z; 0 when it is none.
static inline int vb_asn1_time(const ASN1_TIME *time, int64_t *seconds) {
  struct tm parts;
  if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  int64_t year = parts.tm_year + 1900, month = parts.tm_mon + 1, day = parts.tm_mday;
  // Days from civil (Howard Hinnant): exact for every year that ASN.1 can write.
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  *seconds = days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
  return 1;
}

/// Writes a certificate's subject as of RFC 2253; 0 when it could not be written.
static inline int vb_print_subject(BIO *bio, const X509 *certificate) {
  X509_NAME *subject = X509_get_subject_name(certificate);
  return subject != NULL && X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) >= 0;
}

/// A new key on the curve P-256 and a certificate that it signs itself, valid for a day before and after now; NULL when one
/// of the steps failed. The caller frees both.
static inline X509 *vb_new_signer(const char *name, EVP_PKEY **key) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  *key = NULL;
  if (context == NULL) return NULL;
  int made = EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_group_name(context, "P-256") > 0 &&
             EVP_PKEY_generate(context, key) > 0;
  EVP_PKEY_CTX_free(context);
  if (!made || *key == NULL) return NULL;
  X509 *certificate = X509_new();
  if (certificate != NULL) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
        X509_set_pubkey(certificate, *key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, subject) == 1 && X509_sign(certificate, *key, EVP_sha256()) > 0)
      return certificate;
    X509_free(certificate);
  }
  EVP_PKEY_free(*key);
  *key = NULL;
  return NULL;
}

/// The private key that OpenSSL's engine for PKCS#11 finds under a URI (RFC 7512); NULL when there is none.
static inline EVP_PKEY *vb_engine_private_key(const char *uri) {
  ENGINE *engine = ENGINE_by_id("pkcs11");
  if (engine == NULL) return NULL;
  EVP_PKEY *key = NULL;
  if (ENGINE_init(engine)) {
    key = ENGINE_load_private_key(engine, uri, (UI_METHOD *)UI_null(), NULL);
    // The key holds on to the engine by itself.
    ENGINE_finish(engine);
  }
  ENGINE_free(engine);
  return key;
}

/// The first private key behind a URI, with nobody being asked for a passphrase; NULL when there is none.
static inline EVP_PKEY *vb_store_private_key(const char *uri) {
  OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, NULL, NULL, UI_null(), NULL, NULL, NULL, NULL);
  if (store == NULL) return strncmp(uri, "pkcs11:", 7) == 0 ? vb_engine_private_key(uri) : NULL;
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
#endif
