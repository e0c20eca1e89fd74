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
    let made = try unsafe OpenSSLReference<CertificateObject> {
      unsafe name.withCString { unsafe vb_new_signer($0, &handle) }
    }
    let own = try unsafe OpenSSLReference<PrivateKeyObject> { unsafe handle }
    let pointer = unsafe made.pointer
    let pem = try unsafe OpenSSL.bytes { count in unsafe vb_certificate_pem(pointer, count) }
    key = PrivateKey(adopting: own)
    certificate = pem
  }

  /// Signs bytes as they are; see `SignedMessage.sign`.
  public borrowing func sign(_ content: [UInt8], form: SignedMessage.Form) throws(SignatureError) -> [UInt8] {
    try SignedMessage.sign(content, certificate: certificate, key: key, form: form)
  }
}
