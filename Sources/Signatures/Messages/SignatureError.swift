public import Base

/// Why something could not be signed, or a signature does not count.
public enum SignatureError: Error, Equatable, Sendable {
  /// The bytes hold no PEM certificate.
  case noCertificate(reason: String)
  /// A certificate's key is of a kind that OpenSSL does not know, or cannot be decoded. The algorithm is its object identifier
  /// as dotted text, nil where that cannot be read either.
  case unsupportedKey(algorithm: String?, reason: String)
  /// A block of a PEM text, counted from 1, cannot be read, or is no certificate.
  case damagedBlock(number: Int, reason: String)
  /// The file or URI holds no private key that can be used.
  case noPrivateKey(key: String, reason: String)
  /// The private key is kept under a pass phrase or a PIN: none was given, or another one.
  case passphrase(key: String, isGiven: Bool)
  /// OpenSSL's configuration, which signing reads, cannot be used.
  case configuration(reason: String)
  /// Keys of this kind do not sign PKCS#7 messages.
  case keyKind(name: String)
  /// The key is another one than the certificate's.
  case keyMismatch
  /// The message is no DER PKCS#7 message with exactly one signer, or something follows it.
  case malformed(reason: String)
  /// More or less than one signer.
  case signerCount(Int)
  /// Bytes follow the message.
  case trailingBytes(Int)
  /// The message is not in DER: a length is not given, or not in its shortest form.
  case notDER(offset: Int)
  /// A length at an offset is more than there is.
  case lengthOutside(offset: Int, length: UInt64, available: Int)
  /// The signer signed attributes instead of the content.
  case attributes
  /// The message carries its content where it must not, or the other way round.
  case contentPlacement(isDetached: Bool)
  /// The digest that was signed is no SHA-2 of at least 256 bits.
  case weakDigest(name: String)
  /// The signer's certificate is not valid at this time.
  case expired(subject: String)
  /// The signer's certificate is made for something else than signing code.
  case purpose(subject: String)
  /// No trusted certificate is the signer's.
  case untrustedSigner
  /// The signer's key did not sign these bytes.
  case badSignature(reason: String)
  /// OpenSSL could not do its work.
  case openSSL(reason: String)
}

extension SignatureError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .noCertificate(let reason):
      Diagnostic(
        "signature.certificate", .incomplete, "the certificate cannot be read", expected: "an X.509 certificate in PEM",
        found: reason)
    case .unsupportedKey(let algorithm, let reason):
      // The message alone is what a warning says, so it names the algorithm too.
      Diagnostic(
        "signature.certificate-key", .incomplete,
        "the certificate's key is of a kind that is not supported: algorithm \(algorithm ?? "unknown")",
        expected: "an RSA or an ECDSA key on a curve that OpenSSL has",
        found: "algorithm \(algorithm ?? "unknown"), \(reason)",
        next: "openssl x509 -noout -text -in CERTIFICATE, and a certificate of another key")
    case .damagedBlock(let number, let reason):
      Diagnostic(
        "signature.certificate", .incomplete, "block \(number) cannot be read as a certificate: \(reason)",
        expected: "whole blocks `-----BEGIN CERTIFICATE-----`, beside which only keys may stand",
        found: "block \(number): \(reason)",
        why: "what stands behind a block that cannot be read would be passed over without a word",
        next: "get the certificate again, or take the block out of the file")
    case .noPrivateKey(let key, let reason):
      Diagnostic(
        "signature.private-key", .incomplete, "the private key `\(key)` cannot be read",
        expected: "a private key in PEM, or a URI that OpenSSL's store opens", found: reason,
        next: "openssl pkey -noout -in KEY; openssl storeutl -noout URI")
    case .passphrase(let key, let isGiven):
      Diagnostic(
        "signature.passphrase", .incomplete,
        isGiven
          ? "the pass phrase does not open the private key `\(key)`"
          : "the private key `\(key)` is kept under a pass phrase",
        expected: isGiven ? "the pass phrase that the key was written with" : "a key that opens, or its pass phrase",
        found: isGiven ? "another one" : "none", why: "nothing is asked on a terminal",
        next: "--passphrase-file FILE, whose first line is the pass phrase or PIN")
    case .configuration(let reason):
      Diagnostic(
        "signature.configuration", .incomplete, "OpenSSL's configuration cannot be used for signing",
        expected: "openssl.cnf (or the file that OPENSSL_CONF names) with providers that are there", found: reason,
        why: "a key that was to be used in a certain mode is not used in another", next: "openssl list -providers")
    case .keyKind(let name):
      Diagnostic(
        "signature.key-kind", .usage, "keys of this kind sign no PKCS#7 message", expected: "an RSA or an ECDSA key",
        found: "an \(name) key", next: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out KEY")
    case .keyMismatch:
      Diagnostic(
        "signature.key-mismatch", .usage, "the private key is not the certificate's",
        expected: "the two halves of one key pair", found: "a certificate of another key",
        next: "name the certificate of this key, or the key of this certificate")
    case .malformed(let reason):
      Diagnostic(
        "signature.malformed", .integrity, "this is no signed message",
        expected: "one DER PKCS#7 message with one signer",
        found: reason)
    case .signerCount(let count):
      Diagnostic(
        "signature.signers", .integrity, "the message has not one signer", expected: "1 signer",
        found: "\(count) signers", next: "sign again with one key; two signatures need two files")
    case .trailingBytes(let count):
      Diagnostic(
        "signature.trailing", .integrity, "bytes follow the signed message", expected: "the end",
        found: "\(count) bytes", next: "cut the message to its own length, or get it again")
    case .notDER(let offset):
      Diagnostic(
        "signature.not-der", .integrity, "the message is not in DER", expected: "lengths in their shortest form",
        found: "another form at byte \(offset)", next: "openssl cms -sign -outform DER, without -stream")
    case .lengthOutside(let offset, let length, let available):
      Diagnostic(
        "signature.length", .integrity, "a length in the message is more than there is",
        expected: "at most \(available) bytes", found: "\(length) bytes at byte \(offset)",
        next: "get the signature again; it is cut short or damaged")
    case .attributes:
      Diagnostic(
        "signature.attributes", .integrity, "the message signs attributes",
        expected: "a signature over the bytes alone",
        found: "attributes", next: "openssl cms -sign -noattr")
    case .contentPlacement(let isDetached):
      Diagnostic(
        "signature.content", .integrity,
        isDetached ? "the message does not carry what it signs" : "the message carries its content along",
        expected: isDetached ? "an attached signature (openssl smime -nodetach)" : "a detached signature")
    case .weakDigest(let name):
      Diagnostic(
        "signature.weak-digest", .integrity, "the signature is over a weak digest",
        expected: "sha256, sha384 or sha512",
        found: name, next: "sign again with -md sha256")
    case .expired(let subject):
      Diagnostic(
        "signature.expired", .integrity, "the signer's certificate is not valid today",
        expected: "a certificate that is valid now", found: subject, next: "openssl x509 -noout -dates -in CERTIFICATE")
    case .purpose(let subject):
      Diagnostic(
        "signature.purpose", .integrity, "the signer's certificate is not made for signing code",
        expected: "key usage digitalSignature and extended key usage codeSigning, where it names any", found: subject,
        next: "openssl x509 -noout -ext keyUsage,extendedKeyUsage -in CERTIFICATE")
    case .untrustedSigner:
      Diagnostic(
        "signature.untrusted", .integrity, "nobody who is trusted signed this",
        expected: "one of the given certificates",
        found: "another signer", next: "--certificate FILE with the signer's certificate, when you trust it")
    case .badSignature(let reason):
      Diagnostic(
        "signature.bad", .integrity, "the signature does not fit", expected: "a signature over exactly these bytes",
        found: reason)
    case .openSSL(let reason):
      Diagnostic("signature.openssl", .incomplete, "OpenSSL failed", found: reason)
    }
  }
}
