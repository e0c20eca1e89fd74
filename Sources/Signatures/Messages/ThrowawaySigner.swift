internal import COpenSSL

/// A key that was made a moment ago, with a certificate that it signed itself: for trying out what signatures are worth.
///
/// The key never leaves this value and is gone with it, so that nobody can use it for anything later.
public struct ThrowawaySigner: ~Copyable {
  /// In PEM; valid for a day before and after it was made.
  public let certificate: [UInt8]
  private let key: PrivateKey

  /// Makes a key on the curve P-256.
  ///
  /// - Parameter name: the subject's common name. Two signers of one name look like one to who goes by issuer and serial
  ///   number, as PKCS#7 does.
  /// - Throws: ``SignatureError/openSSL(reason:)``.
  public init(name: String) throws(SignatureError) {
    var handle: OpaquePointer?
    guard let made = unsafe name.withCString({ unsafe vb_new_signer($0, &handle) }), let handle = unsafe handle else {
      throw .openSSL(reason: OpenSSLErrors.take())
    }
    let pem = unsafe Self.pem(made)
    unsafe X509_free(made)
    guard !pem.isEmpty else {
      unsafe EVP_PKEY_free(handle)
      throw .openSSL(reason: OpenSSLErrors.take())
    }
    key = unsafe PrivateKey(adopting: handle)
    certificate = pem
  }

  /// The certificate in PEM; empty when memory ran out.
  private static func pem(_ certificate: OpaquePointer) -> [UInt8] {
    guard let output = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(output) }
    return unsafe PEM_write_bio_X509(output, certificate) == 1 ? MemoryBIO.contents(output) : []
  }

  /// Signs bytes as they are; see `SignedMessage.sign`.
  public borrowing func sign(_ content: [UInt8], form: SignedMessage.Form) throws(SignatureError) -> [UInt8] {
    try SignedMessage.sign(content, certificate: certificate, key: key, form: form)
  }
}
