// What the project asks of libcrypto. No name of OpenSSL's own is visible to Swift: its headers say nothing about which
// results may be NULL, and its codes mean success by 1, by more than 0 or by 0. Here a result that may be NULL is an
// optional, a code is a `vb_outcome`, and neither can be dropped without a warning, which the package takes for an error.
//
// The library is opened when the first function is called, and never with a configuration: neither openssl.cnf nor the
// environment has a say in what is verified. Only `vb_signing_context` reads it, into a context of its own.
#ifndef VERITY_BPF_COPENSSL_H
#define VERITY_BPF_COPENSSL_H
#include <stddef.h>
#include <stdint.h>

#define VB_RESULT __attribute__((warn_unused_result))
#pragma clang assume_nonnull begin

/// Whether a step was done: 1, and anything else when it was not.
typedef struct vb_outcome {
  int code;
} vb_outcome;

typedef struct vb_context vb_context;          // OSSL_LIB_CTX
typedef struct vb_digest vb_digest;            // a digest, with what every message begins with
typedef struct vb_certificate vb_certificate;  // X509
typedef struct vb_certificates vb_certificates;  // STACK_OF(X509)
typedef struct vb_private_key vb_private_key;  // EVP_PKEY
typedef struct vb_message vb_message;          // PKCS7

/// Why libcrypto could not be opened; NULL when it is open. Lives as long as the process.
VB_RESULT const char *_Nullable vb_libcrypto_problem(void);

/// Empties this thread's queue of errors.
void vb_errors_clear(void);
/// Takes the oldest error out of the queue; 0 when there is none.
VB_RESULT unsigned long vb_errors_take(void);
/// What an error means; NULL when OpenSSL has no words for it. Lives as long as the process.
VB_RESULT const char *_Nullable vb_error_text(unsigned long code);

/// The context that signs: with OpenSSL's configuration, so that keys can be where a provider or an engine keeps them, and
/// with the properties that it asks for (FIPS). Read once; NULL when it cannot be.
VB_RESULT vb_context *_Nullable vb_signing_context(void);

/// Frees bytes that a function below returned.
void vb_bytes_free(unsigned char *bytes);

// Digests.

/// A digest by OpenSSL's name of it. `prefix` is what every message begins with.
VB_RESULT vb_digest *_Nullable vb_digest_new(const char *name, const void *_Nullable prefix, size_t count);
VB_RESULT vb_outcome vb_digest_update(vb_digest *digest, const void *_Nullable bytes, size_t count);
/// Writes the digest of a message and begins the next.
VB_RESULT vb_outcome vb_digest_finish(vb_digest *digest, unsigned char *out);
void vb_digest_free(vb_digest *digest);

// Certificates.

/// What a block of PEM holds, out of base64. NULL as well for one with headers: those of RFC 1421 stand for encryption.
VB_RESULT unsigned char *_Nullable vb_pem_decode(const void *_Nullable block, size_t size, size_t *count);
/// Reads one certificate in DER, and nothing behind it. `context` is where its key will be used.
VB_RESULT vb_certificate *_Nullable vb_certificate_read(
    const unsigned char *_Nullable der, size_t count, vb_context *_Nullable context);
void vb_certificate_free(vb_certificate *certificate);
VB_RESULT unsigned char *_Nullable vb_certificate_der(const vb_certificate *certificate, size_t *count);
/// The certificate in PEM.
VB_RESULT unsigned char *_Nullable vb_certificate_pem(const vb_certificate *certificate, size_t *count);
/// Whether OpenSSL knows the kind of the certificate's key, and could decode it.
VB_RESULT vb_outcome vb_certificate_has_key(const vb_certificate *certificate);
/// Writes the object identifier of the algorithm that the key is for, as dotted text with a NUL at its end.
VB_RESULT vb_outcome vb_certificate_algorithm(const vb_certificate *certificate, char *text, int size);
/// The subject's name as of RFC 2253.
VB_RESULT unsigned char *_Nullable vb_certificate_subject(const vb_certificate *certificate, size_t *count);
/// Seconds since 1970-01-01T00:00:00Z in which the certificate begins and ends to be valid.
VB_RESULT vb_outcome vb_certificate_not_before(const vb_certificate *certificate, int64_t *seconds);
VB_RESULT vb_outcome vb_certificate_not_after(const vb_certificate *certificate, int64_t *seconds);
/// Bits of the certificate's key usage; all where it has none, none where they cannot be read.
VB_RESULT uint32_t vb_certificate_key_usage(const vb_certificate *certificate);
VB_RESULT uint32_t vb_certificate_extended_key_usage(const vb_certificate *certificate);
enum { VB_KU_DIGITAL_SIGNATURE = 0x80, VB_XKU_CODE_SIGN = 0x8, VB_XKU_ANY = 0x100 };
/// Whether the key is the certificate's.
VB_RESULT vb_outcome vb_certificate_fits(const vb_certificate *certificate, const vb_private_key *key);

/// A set of certificates.
VB_RESULT vb_certificates *_Nullable vb_certificates_new(void);
void vb_certificates_free(vb_certificates *set);
/// Adds one; the caller keeps its own reference.
VB_RESULT vb_outcome vb_certificates_add(vb_certificates *set, vb_certificate *certificate);
VB_RESULT int vb_certificates_count(const vb_certificates *set);
/// One of them, with a reference of the caller's own; NULL behind the last.
VB_RESULT vb_certificate *_Nullable vb_certificates_at(const vb_certificates *set, int index);

// Private keys.

/// What is known of a pass phrase, and whether it was asked for. Nobody is asked on a terminal.
typedef struct vb_passphrase {
  const char *_Nullable text;
  int count;
  int was_asked;
} vb_passphrase;

/// The first private key of a PEM text.
VB_RESULT vb_private_key *_Nullable vb_private_key_from_pem(
    const void *_Nullable pem, int size, vb_context *context, vb_passphrase *passphrase);
/// The first private key behind a URI that OpenSSL's store opens; for `pkcs11:` the engine of that name will do.
VB_RESULT vb_private_key *_Nullable vb_private_key_from_uri(
    const char *uri, vb_context *context, vb_passphrase *passphrase);
void vb_private_key_free(vb_private_key *key);
/// OpenSSL's number for the kind of key, one of those below or another.
VB_RESULT int vb_private_key_kind(const vb_private_key *key);
enum { VB_KEY_X25519 = 1034, VB_KEY_X448 = 1035, VB_KEY_ED25519 = 1087, VB_KEY_ED448 = 1088 };
/// A new key on the curve P-256 and a certificate that it signs itself, valid for a day before and after now. The caller
/// frees both.
VB_RESULT vb_certificate *_Nullable vb_new_signer(const char *name, vb_private_key *_Nullable *_Nonnull key);

// PKCS#7.

/// What a new message is like.
enum { VB_MESSAGE_DETACHED = 1, VB_MESSAGE_WITHOUT_CERTIFICATE = 2 };
/// Signs bytes as they are, without attributes.
VB_RESULT vb_message *_Nullable vb_message_sign(
    vb_certificate *certificate, vb_private_key *key, const void *_Nullable content, int size, int form,
    vb_context *_Nullable context);
/// Reads a message that the bytes begin with.
VB_RESULT vb_message *_Nullable vb_message_read(const unsigned char *_Nullable der, size_t count);
void vb_message_free(vb_message *message);
VB_RESULT unsigned char *_Nullable vb_message_der(const vb_message *message, size_t *count);
/// Whether OpenSSL writes the message with exactly these bytes.
VB_RESULT int vb_message_is_spelled(const vb_message *message, const unsigned char *_Nullable der, size_t count);
VB_RESULT int vb_message_is_signed(vb_message *message);
VB_RESULT int vb_message_is_detached(vb_message *message);
VB_RESULT int vb_message_signer_count(vb_message *message);
/// OpenSSL's number for the digest that the first signer used, one of those below or another; 0 when there is none.
VB_RESULT int vb_message_digest(vb_message *message);
enum { VB_DIGEST_SHA256 = 672, VB_DIGEST_SHA384 = 673, VB_DIGEST_SHA512 = 674 };
/// The name of such a number; lives as long as the process.
VB_RESULT const char *_Nullable vb_digest_name(int number);
/// Whether the first signer signed attributes, or added some unsigned.
VB_RESULT int vb_message_has_attributes(vb_message *message);
/// Which of the certificates signed the message, with a reference of the caller's own; NULL when none did.
VB_RESULT vb_certificate *_Nullable vb_message_signer(vb_message *message, vb_certificates *trusted);
/// What is unusual in the parts of a message by one signer that the signature is not over, and that OpenSSL does not look
/// at or compares loosely; NULL when they are as RFC 2315 has them.
VB_RESULT const char *_Nullable vb_message_oddity(vb_message *message, vb_certificate *certificate);
/// Checks the signature by one of the certificates, and returns what was signed.
///
/// - content: what a detached message is over; NULL for one with its content inside.
VB_RESULT unsigned char *_Nullable vb_message_verify(
    vb_message *message, vb_certificates *trusted, const void *_Nullable content, int size, size_t *count);

#pragma clang assume_nonnull end
#endif
