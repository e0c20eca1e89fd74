internal import COpenSSL

/// What a certificate says of itself.
public struct CertificateFacts: Sendable, Equatable {
  /// The subject's name as of RFC 2253, for people.
  public let subject: String
  /// Seconds since 1970-01-01T00:00:00Z in which the certificate begins and ends to be valid; nil when it does not say
  /// so in a form that can be read.
  public let notBefore: Int64?
  public let notAfter: Int64?
  /// Whether the certificate may be used to sign code, as far as it says: its key usage, when there is one, has
  /// digitalSignature, and its extended key usage codeSigning or any (RFC 5280, sections 4.2.1.3 and 4.2.1.12).
  public let isForSigning: Bool

  /// Whether the certificate is valid at a time, in seconds since 1970-01-01T00:00:00Z. What cannot be read is not.
  public func isValid(at time: Int64) -> Bool {
    guard let notBefore, let notAfter else { return false }
    return notBefore <= time && time <= notAfter
  }

  /// Reads them.
  ///
  /// - Throws: ``SignatureError/noCertificate(reason:)`` for a subject that cannot be written as text.
  init(_ certificate: borrowing OpenSSLReference<CertificateObject>) throws(SignatureError) {
    let pointer = unsafe certificate.pointer
    let usage = unsafe vb_certificate_key_usage(pointer)
    let extended = unsafe vb_certificate_extended_key_usage(pointer)
    // All bits are set where the certificate says nothing of it, and none where its extensions cannot be read
    // (X509_get_key_usage(3)).
    isForSigning =
      usage & UInt32(VB_KU_DIGITAL_SIGNATURE) != 0 && extended & UInt32(VB_XKU_CODE_SIGN | VB_XKU_ANY) != 0
    var seconds: Int64 = 0
    notBefore = OpenSSL.isDone({ unsafe vb_certificate_not_before(pointer, &seconds) }) ? seconds : nil
    notAfter = OpenSSL.isDone({ unsafe vb_certificate_not_after(pointer, &seconds) }) ? seconds : nil
    let name = try unsafe OpenSSL.bytes(
      { count in unsafe vb_certificate_subject(pointer, count) },
      orThrow: { .noCertificate(reason: "its subject's name is damaged: \($0)") })
    subject = String(decoding: name, as: UTF8.self)
  }
}
