#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcrypto.h"

_Static_assert(VB_KU_DIGITAL_SIGNATURE == KU_DIGITAL_SIGNATURE && VB_XKU_CODE_SIGN == XKU_CODE_SIGN &&
                   VB_XKU_ANY == XKU_ANYEKU,
               "bits of openssl/x509v3.h");

void vb_errors_clear(void) { ERR_clear_error(); }
unsigned long vb_errors_take(void) { return ERR_get_error(); }
const char *vb_error_text(unsigned long code) { return ERR_reason_error_string(code); }

void vb_bytes_free(unsigned char *bytes) { free(bytes); }

/// A copy that `vb_bytes_free` frees; an empty one is not NULL.
static unsigned char *copied(const void *bytes, size_t size, size_t *count) {
  unsigned char *copy = malloc(size + 1);
  if (copy == NULL) return NULL;
  if (size > 0) memcpy(copy, bytes, size);
  *count = size;
  return copy;
}

unsigned char *vb_written(BIO *bio, size_t *count) {
  char *bytes = NULL;
  long size = BIO_get_mem_data(bio, &bytes);
  unsigned char *copy = size < 0 ? NULL : copied(bytes, (size_t)size, count);
  BIO_free(bio);
  return copy;
}

unsigned char *vb_pem_decode(const void *block, size_t size, size_t *count) {
  if (size > INT32_MAX) return NULL;
  BIO *bio = vb_reading(block, (int)size);
  if (bio == NULL) return NULL;
  char *name = NULL, *header = NULL;
  unsigned char *bytes = NULL, *copy = NULL;
  long found = 0;
  if (PEM_read_bio(bio, &name, &header, &bytes, &found) == 1 && header != NULL && header[0] == '\0' && found > 0)
    copy = copied(bytes, (size_t)found, count);
  CRYPTO_free(name, NULL, 0);
  CRYPTO_free(header, NULL, 0);
  CRYPTO_free(bytes, NULL, 0);
  BIO_free(bio);
  return copy;
}

vb_certificate *vb_certificate_read(const unsigned char *der, size_t count, vb_context *context) {
  X509 *certificate = X509_new_ex((OSSL_LIB_CTX *)context, NULL);
  if (certificate == NULL) return NULL;
  const unsigned char *cursor = der;
  if (count > INT32_MAX || d2i_X509(&certificate, &cursor, (long)count) == NULL) {
    // d2i_X509 has freed it and says so, or has not been called.
    X509_free(certificate);
    return NULL;
  }
  if (cursor == der + count) return (vb_certificate *)certificate;
  X509_free(certificate);
  return NULL;
}

void vb_certificate_free(vb_certificate *certificate) { X509_free((X509 *)certificate); }

unsigned char *vb_certificate_der(const vb_certificate *certificate, size_t *count) {
  unsigned char *der = NULL;
  int size = i2d_X509((const X509 *)certificate, &der);
  unsigned char *copy = size <= 0 ? NULL : copied(der, (size_t)size, count);
  CRYPTO_free(der, NULL, 0);
  return copy;
}

unsigned char *vb_certificate_pem(const vb_certificate *certificate, size_t *count) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio == NULL) return NULL;
  if (PEM_write_bio_X509(bio, (const X509 *)certificate) == 1) return vb_written(bio, count);
  BIO_free(bio);
  return NULL;
}

vb_outcome vb_certificate_has_key(const vb_certificate *certificate) {
  return vb_outcome_of(X509_get0_pubkey((const X509 *)certificate) != NULL);
}

vb_outcome vb_certificate_algorithm(const vb_certificate *certificate, char *text, int size) {
  X509_PUBKEY *key = X509_get_X509_PUBKEY((const X509 *)certificate);
  ASN1_OBJECT *algorithm = NULL;
  if (key == NULL || X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, key) != 1 || algorithm == NULL)
    return vb_outcome_of(0);
  int count = OBJ_obj2txt(text, size, algorithm, 1);
  return vb_outcome_of(count > 0 && count < size);
}

unsigned char *vb_certificate_subject(const vb_certificate *certificate, size_t *count) {
  X509_NAME *subject = X509_get_subject_name((const X509 *)certificate);
  BIO *bio = subject == NULL ? NULL : BIO_new(BIO_s_mem());
  if (bio == NULL) return NULL;
  // Two lines of one name would be two lines of ours: RFC 2253 escapes control characters.
  if (X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) >= 0) return vb_written(bio, count);
  BIO_free(bio);
  return NULL;
}

static vb_outcome seconds_of(const ASN1_TIME *time, int64_t *seconds) {
  struct tm parts;
  if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) return vb_outcome_of(0);
  int64_t year = parts.tm_year + 1900, month = parts.tm_mon + 1, day = parts.tm_mday;
  // Days from civil (Howard Hinnant): exact for every year that ASN.1 can write.
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  *seconds = days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
  return vb_outcome_of(1);
}

vb_outcome vb_certificate_not_before(const vb_certificate *certificate, int64_t *seconds) {
  return seconds_of(X509_get0_notBefore((const X509 *)certificate), seconds);
}

vb_outcome vb_certificate_not_after(const vb_certificate *certificate, int64_t *seconds) {
  return seconds_of(X509_get0_notAfter((const X509 *)certificate), seconds);
}

// These two read the extensions the first time they are asked, under a lock of OpenSSL's.
uint32_t vb_certificate_key_usage(const vb_certificate *certificate) {
  return X509_get_key_usage((X509 *)certificate);
}

uint32_t vb_certificate_extended_key_usage(const vb_certificate *certificate) {
  return X509_get_extended_key_usage((X509 *)certificate);
}

vb_outcome vb_certificate_fits(const vb_certificate *certificate, const vb_private_key *key) {
  return vb_outcome_of(X509_check_private_key((const X509 *)certificate, (const EVP_PKEY *)key) == 1);
}

vb_certificates *vb_certificates_new(void) { return (vb_certificates *)sk_X509_new_null(); }

void vb_certificates_free(vb_certificates *set) { sk_X509_pop_free((STACK_OF(X509) *)set, X509_free); }

vb_outcome vb_certificates_add(vb_certificates *set, vb_certificate *certificate) {
  if (X509_up_ref((X509 *)certificate) != 1) return vb_outcome_of(0);
  if (sk_X509_push((STACK_OF(X509) *)set, (X509 *)certificate) > 0) return vb_outcome_of(1);
  X509_free((X509 *)certificate);
  return vb_outcome_of(0);
}

int vb_certificates_count(const vb_certificates *set) {
  int count = sk_X509_num((const STACK_OF(X509) *)set);
  return count < 0 ? 0 : count;
}

vb_certificate *vb_certificates_at(const vb_certificates *set, int index) {
  X509 *certificate = sk_X509_value((const STACK_OF(X509) *)set, index);
  return certificate != NULL && X509_up_ref(certificate) == 1 ? (vb_certificate *)certificate : NULL;
}
