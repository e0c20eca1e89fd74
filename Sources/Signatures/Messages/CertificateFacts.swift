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

  /// Why a signature by this certificate does not count at a time, in seconds since 1970-01-01T00:00:00Z; nil when
  /// nothing speaks against it.
  public func refusal(at time: Int64) -> SignatureError? {
    if !isForSigning { return .purpose(subject: subject) }
    return isValid(at: time) ? nil : .expired(subject: subject)
  }

  /// Reads them.
  ///
  /// - Throws: ``SignatureError/noCertificate(reason:)`` for a subject that cannot be written as text.
  init(_ certificate: OpaquePointer) throws(SignatureError) {
    let usage = unsafe X509_get_key_usage(certificate)
    let extended = unsafe X509_get_extended_key_usage(certificate)
    // All bits are set where the certificate says nothing of it, and none where its extensions cannot be read
    // (X509_get_key_usage(3)); the latter leaves errors behind that mean nothing more.
    _ = OpenSSLErrors.take()
    isForSigning =
      usage & UInt32(KU_DIGITAL_SIGNATURE) != 0 && extended & UInt32(XKU_CODE_SIGN | XKU_ANYEKU) != 0
    notBefore = unsafe Self.seconds(X509_get0_notBefore(certificate))
    notAfter = unsafe Self.seconds(X509_get0_notAfter(certificate))
    guard let output = unsafe BIO_new(BIO_s_mem()) else { throw .openSSL(reason: "out of memory") }
    defer { unsafe BIO_free(output) }
    // Two lines of one name would be two lines of ours: RFC 2253 escapes control characters.
    guard unsafe vb_print_subject(output, certificate) != 0 else {
      throw .noCertificate(reason: "its subject's name is damaged: \(OpenSSLErrors.take())")
    }
    subject = unsafe String(decoding: MemoryBIO.contents(output), as: UTF8.self)
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var seconds: Int64 = 0
    return unsafe vb_asn1_time(time, &seconds) == 1 ? seconds : nil
  }
}
