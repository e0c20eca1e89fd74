#include <string.h>

#include "libcrypto.h"

_Static_assert(VB_DIGEST_SHA256 == NID_sha256 && VB_DIGEST_SHA384 == NID_sha384 && VB_DIGEST_SHA512 == NID_sha512,
               "numbers of openssl/obj_mac.h");

/// The certificates that are named are trusted themselves; none in the message is looked at, and no chain is followed.
static const int checking = PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY;

vb_message *vb_message_sign(
    vb_certificate *certificate, vb_private_key *key, const void *content, int size, int form, vb_context *context) {
  BIO *bio = vb_reading(content, size);
  if (bio == NULL) return NULL;
  int flags = PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOSMIMECAP;
  if (form & VB_MESSAGE_DETACHED) flags |= PKCS7_DETACHED;
  if (form & VB_MESSAGE_WITHOUT_CERTIFICATE) flags |= PKCS7_NOCERTS;
  PKCS7 *message =
      PKCS7_sign_ex((X509 *)certificate, (EVP_PKEY *)key, NULL, bio, flags, (OSSL_LIB_CTX *)context, NULL);
  BIO_free(bio);
  return (vb_message *)message;
}

vb_message *vb_message_read(const unsigned char *der, size_t count) {
  const unsigned char *cursor = der;
  return count > INT32_MAX ? NULL : (vb_message *)d2i_PKCS7(NULL, &cursor, (long)count);
}

void vb_message_free(vb_message *message) { PKCS7_free((PKCS7 *)message); }

unsigned char *vb_message_der(const vb_message *message, size_t *count) {
  BIO *bio = BIO_new(BIO_s_mem());
  unsigned char *der = NULL;
  int size = bio == NULL ? 0 : i2d_PKCS7((const PKCS7 *)message, &der);
  int written = size > 0 && BIO_write(bio, der, size) == size;
  CRYPTO_free(der, NULL, 0);
  if (written) return vb_written(bio, count);
  BIO_free(bio);
  return NULL;
}

int vb_message_is_spelled(const vb_message *message, const unsigned char *der, size_t count) {
  unsigned char *own = NULL;
  int size = i2d_PKCS7((const PKCS7 *)message, &own);
  int same = size > 0 && (size_t)size == count && memcmp(own, der, count) == 0;
  CRYPTO_free(own, NULL, 0);
  return same;
}

int vb_message_is_signed(vb_message *message) { return PKCS7_type_is_signed((PKCS7 *)message); }

int vb_message_is_detached(vb_message *message) { return (int)PKCS7_get_detached((PKCS7 *)message); }

int vb_message_signer_count(vb_message *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info((PKCS7 *)message);
  int count = signers == NULL ? 0 : sk_PKCS7_SIGNER_INFO_num(signers);
  return count < 0 ? 0 : count;
}

static PKCS7_SIGNER_INFO *first_signer(vb_message *message) {
  STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info((PKCS7 *)message);
  return signers == NULL || sk_PKCS7_SIGNER_INFO_num(signers) == 0 ? NULL : sk_PKCS7_SIGNER_INFO_value(signers, 0);
}

int vb_message_digest(vb_message *message) {
  PKCS7_SIGNER_INFO *signer = first_signer(message);
  X509_ALGOR *algorithm = NULL;
  if (signer == NULL) return 0;
  PKCS7_SIGNER_INFO_get0_algs(signer, NULL, &algorithm, NULL);
  return algorithm == NULL ? 0 : OBJ_obj2nid(algorithm->algorithm);
}

const char *vb_digest_name(int number) { return OBJ_nid2sn(number); }

int vb_message_has_attributes(vb_message *message) {
  PKCS7_SIGNER_INFO *signer = first_signer(message);
  return signer != NULL && (PKCS7_get_signed_attributes(signer) != NULL || PKCS7_get_attributes(signer) != NULL);
}

vb_certificate *vb_message_signer(vb_message *message, vb_certificates *trusted) {
  STACK_OF(X509) *signers = PKCS7_get0_signers((PKCS7 *)message, (STACK_OF(X509) *)trusted, checking);
  if (signers == NULL) return NULL;
  X509 *signer = sk_X509_num(signers) > 0 ? sk_X509_value(signers, 0) : NULL;
  if (signer != NULL && X509_up_ref(signer) != 1) signer = NULL;
  // The stack alone: its certificates are the caller's.
  sk_X509_free(signers);
  return (vb_certificate *)signer;
}

unsigned char *vb_message_verify(
    vb_message *message, vb_certificates *trusted, const void *content, int size, size_t *count) {
  BIO *input = NULL, *output = BIO_new(BIO_s_mem());
  if (output == NULL) return NULL;
  if (content != NULL) input = vb_reading(content, size);
  int is_good = (content == NULL || input != NULL) &&
                PKCS7_verify((PKCS7 *)message, (STACK_OF(X509) *)trusted, NULL, input, output, checking) == 1;
  BIO_free(input);
  if (is_good) return vb_written(output, count);
  BIO_free(output);
  return NULL;
}

/// Whether an algorithm's parameters are absent or NULL, as those of digests and of RSA and ECDSA signatures are.
static int has_no_parameters(const X509_ALGOR *algorithm) {
  return algorithm != NULL && (algorithm->parameter == NULL || algorithm->parameter->type == V_ASN1_NULL);
}
static int is_same_name(const X509_NAME *one, const X509_NAME *other) {
  unsigned char *left = NULL, *right = NULL;
  int count = i2d_X509_NAME(one, &left), others = i2d_X509_NAME(other, &right);
  int same = count > 0 && count == others && memcmp(left, right, (size_t)count) == 0;
  CRYPTO_free(left, NULL, 0);
  CRYPTO_free(right, NULL, 0);
  return same;
}
static int is_same_certificate(const X509 *one, const X509 *other) {
  unsigned char *left = NULL, *right = NULL;
  int count = i2d_X509(one, &left), others = i2d_X509(other, &right);
  int same = count > 0 && count == others && memcmp(left, right, (size_t)count) == 0;
  CRYPTO_free(left, NULL, 0);
  CRYPTO_free(right, NULL, 0);
  return same;
}
/// Whether a signed attribute is there and its value of a type. Releases of OpenSSL up to 3.0.18 take the digest among the
/// attributes for a string without looking at its type (CVE-2026-22796).
static int is_attribute(const PKCS7_SIGNER_INFO *signer, int name, int type) {
  const ASN1_TYPE *value = PKCS7_get_signed_attribute(signer, name);
  return value != NULL && value->type == type;
}

const char *vb_message_oddity(vb_message *signed_message, vb_certificate *signer_certificate) {
  PKCS7 *message = (PKCS7 *)signed_message;
  X509 *certificate = (X509 *)signer_certificate;
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
  if (!has_no_parameters(listed) || !has_no_parameters(signer->digest_alg) ||
      !has_no_parameters(signer->digest_enc_alg))
    return "an algorithm with parameters";
  if (PKCS7_get_signed_attributes(signer) != NULL && !is_attribute(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING))
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
  if (sk_X509_num(data->cert) == 1 && !is_same_certificate(sk_X509_value(data->cert, 0), certificate))
    return "a certificate that is not the signer's";
  // OpenSSL finds the certificate by a comparison that does not tell capital letters from small ones.
  if (!is_same_name(signer->issuer_and_serial->issuer, X509_get_issuer_name(certificate))) return "another spelling of the issuer";
  return NULL;
}
