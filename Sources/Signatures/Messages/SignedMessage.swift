public import Base
internal import COpenSSL

/// PKCS#7 messages as the kernel takes them: attached for IPE policies, detached for root hashes.
public enum SignedMessage {
  /// What is asked of a new message.
  public struct Form: Sendable, Equatable {
    /// Whether the content stays outside the message.
    public var isDetached: Bool
    /// Whether the signer's certificate is put into the message. The kernel does not need it; `openssl smime` adds it.
    public var includesCertificate: Bool

    /// `openssl smime -sign -binary -noattr -nodetach -nosmimecap`: what IPE's documentation tells policy authors.
    public static let policy = Form(isDetached: false, includesCertificate: true)
    /// `openssl smime -sign -binary -noattr -nocerts`: what dm-verity's `root_hash_sig_key_desc` takes.
    public static let rootHash = Form(isDetached: true, includesCertificate: false)

    public init(isDetached: Bool, includesCertificate: Bool) {
      self.isDetached = isDetached
      self.includesCertificate = includesCertificate
    }
  }

  /// Signs bytes as they are, without attributes; returns the message in DER.
  ///
  /// - Parameters:
  ///   - certificate: the signer's certificate in PEM; of several the first is used.
  ///   - privateKey: its key in PEM, without a passphrase.
  public static func sign(
    _ content: [UInt8], certificate: [UInt8], privateKey: [UInt8], form: Form
  ) throws(SignatureError) -> [UInt8] {
    try sign(content, certificate: certificate, key: try PrivateKey(pem: privateKey), form: form)
  }

  /// Signs bytes as they are, without attributes, with a key that may be anywhere; returns the message in DER.
  ///
  /// - Parameter certificate: the signer's certificate in PEM; of several the first is used.
  public static func sign(
    _ content: [UInt8], certificate: [UInt8], key: borrowing PrivateKey, form: Form
  ) throws(SignatureError) -> [UInt8] {
    let certificates = try Certificates(pem: certificate)
    guard let signer = unsafe vb_certificates_at(certificates.stack, 0) else { throw .noCertificate(reason: "none") }
    guard unsafe X509_check_private_key(signer, key.handle) == 1 else {
      _ = OpenSSLErrors.take()
      throw .keyMismatch
    }
    try key.requireKind()
    var flags = PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOSMIMECAP
    if form.isDetached { flags |= PKCS7_DETACHED }
    if !form.includesCertificate { flags |= PKCS7_NOCERTS }
    var message: [UInt8] = []
    try unsafe MemoryBIO.reading(content) { bio throws(SignatureError) in
      guard let pkcs7 = unsafe PKCS7_sign(signer, key.handle, nil, bio, flags) else {
        throw .openSSL(reason: OpenSSLErrors.take())
      }
      defer { unsafe PKCS7_free(pkcs7) }
      message = unsafe encoding(of: pkcs7)
      guard !message.isEmpty else { throw .openSSL(reason: OpenSSLErrors.take()) }
    }
    withExtendedLifetime(certificates) {}
    return message
  }

  /// Content that a trusted signer signed.
  public struct Verified: Sendable, Equatable {
    /// The bytes that were signed. For an attached message nothing else of it may be used.
    public let content: [UInt8]
    /// SHA-256 of the signer's certificate in DER.
    public let signer: Digest
    /// The certificate's subject and the time it is valid in, which is not looked at here.
    public let certificate: CertificateFacts
  }

  /// Checks a message.
  ///
  /// The signer must be one of the trusted certificates itself; certificates inside the message are not looked at,
  /// no chain is followed, and validity dates are not read, as the kernel does for its keyrings. Refused besides: more
  /// or less than one signer, digests weaker than SHA-256, bytes after the message.
  ///
  /// - Parameters:
  ///   - content: what was signed, for a detached message; nil for an attached one.
  ///   - allowsAttributes: whether the signature may be over attributes that hold the content's digest, as `openssl
  ///     smime` makes it without `-noattr`.
  public static func verify(
    _ message: [UInt8], content: [UInt8]? = nil, trusted: borrowing Certificates, allowsAttributes: Bool = true
  ) throws(SignatureError) -> Verified {
    let pkcs7 = try unsafe parse(message)
    defer { unsafe PKCS7_free(pkcs7) }
    try unsafe checkForm(pkcs7, isDetached: content != nil, allowsAttributes: allowsAttributes)

    let flags = PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY
    guard let signers = unsafe PKCS7_get0_signers(pkcs7, trusted.stack, flags) else {
      _ = OpenSSLErrors.take()
      throw .untrustedSigner
    }
    defer { unsafe vb_certificates_release(signers) }
    guard let signer = unsafe vb_certificates_at(signers, 0) else { throw .untrustedSigner }
    // One message has one spelling: what nothing covers is held to what the rest says.
    if let oddity = unsafe vb_pkcs7_oddity(pkcs7, signer) { throw .malformed(reason: unsafe String(cString: oddity)) }
    guard let output = unsafe BIO_new(BIO_s_mem()) else { throw .openSSL(reason: "out of memory") }
    defer { unsafe BIO_free(output) }
    var status: Int32 = 0
    if let content {
      try unsafe MemoryBIO.reading(content) { input throws(SignatureError) in
        status = unsafe PKCS7_verify(pkcs7, trusted.stack, nil, input, output, flags)
      }
    } else {
      status = unsafe PKCS7_verify(pkcs7, trusted.stack, nil, nil, output, flags)
    }
    guard status == 1 else { throw .badSignature(reason: OpenSSLErrors.take()) }
    return Verified(
      content: unsafe MemoryBIO.contents(output), signer: try unsafe Certificates.fingerprint(of: signer),
      certificate: try unsafe CertificateFacts(signer))
  }

  /// Checks that a message has the form that ``verify(_:content:trusted:allowsAttributes:)`` asks for, by any signer.
  public static func checkForm(
    _ message: [UInt8], isDetached: Bool, allowsAttributes: Bool = true
  ) throws(SignatureError) {
    let pkcs7 = try unsafe parse(message)
    defer { unsafe PKCS7_free(pkcs7) }
    try unsafe checkForm(pkcs7, isDetached: isDetached, allowsAttributes: allowsAttributes)
  }

  private static func checkForm(
    _ pkcs7: UnsafeMutablePointer<PKCS7>, isDetached: Bool, allowsAttributes: Bool
  ) throws(SignatureError) {
    let signers = Int(unsafe vb_pkcs7_signer_count(pkcs7))
    guard signers == 1 else { throw .signerCount(signers) }
    let found = unsafe vb_pkcs7_is_detached(pkcs7) != 0
    guard found == isDetached else { throw .contentPlacement(isDetached: found) }
    let digest = unsafe vb_pkcs7_digest(pkcs7)
    guard [NID_sha256, NID_sha384, NID_sha512].contains(digest) else {
      let name = unsafe OBJ_nid2sn(digest).map { unsafe String(cString: $0) }
      throw .weakDigest(name: name ?? "unknown")
    }
    guard unsafe allowsAttributes || vb_pkcs7_has_attributes(pkcs7) == 0 else { throw .attributes }
  }

  /// Reads exactly one signed message.
  private static func parse(_ message: [UInt8]) throws(SignatureError) -> UnsafeMutablePointer<PKCS7> {
    let count = try DER.elementLength(message)
    guard count == message.count else { throw .trailingBytes(message.count - count) }
    let pkcs7 = unsafe message.withUnsafeBufferPointer { buffer -> UnsafeMutablePointer<PKCS7>? in
      var cursor = buffer.baseAddress
      return unsafe d2i_PKCS7(nil, &cursor, buffer.count)
    }
    guard let pkcs7 = unsafe pkcs7 else { throw .malformed(reason: OpenSSLErrors.take()) }
    guard unsafe vb_pkcs7_is_signed(pkcs7) != 0 else {
      unsafe PKCS7_free(pkcs7)
      throw .malformed(reason: "not of the type signedData")
    }
    guard unsafe encoding(of: pkcs7) == message else {
      unsafe PKCS7_free(pkcs7)
      throw .notDER(offset: 0)
    }
    return unsafe pkcs7
  }

  /// A message as OpenSSL writes it; empty when it cannot.
  private static func encoding(of pkcs7: UnsafeMutablePointer<PKCS7>) -> [UInt8] {
    var der: UnsafeMutablePointer<UInt8>?
    let count = unsafe i2d_PKCS7(pkcs7, &der)
    guard count > 0, let address = unsafe der else { return [] }
    defer { unsafe CRYPTO_free(address, nil, 0) }
    return unsafe [UInt8](UnsafeBufferPointer(start: address, count: Int(count)))
  }
}
