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
    let certificates =
      try unsafe key.context == nil ? Certificates(pem: certificate) : Certificates(signersIn: certificate)
    let signer = try certificates.certificate(at: 0)
    let (pointer, handle, context) = unsafe (signer.pointer, key.object.pointer, key.context)
    try OpenSSL.perform({ unsafe vb_certificate_fits(pointer, handle) }, orThrow: { _ in .keyMismatch })
    try key.requireKind()
    let flags =
      (form.isDetached ? VB_MESSAGE_DETACHED : 0) | (form.includesCertificate ? 0 : VB_MESSAGE_WITHOUT_CERTIFICATE)
    guard let count = Int32(exactly: content.count) else { throw .openSSL(reason: "the bytes do not fit a memory BIO") }
    let message = try unsafe OpenSSLReference<MessageObject> {
      unsafe content.withUnsafeBytes {
        unsafe vb_message_sign(pointer, handle, $0.baseAddress, count, Int32(flags), context)
      }
    }
    return try encoding(of: message)
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
    let pkcs7 = try parse(message)
    try checkForm(pkcs7, isDetached: content != nil, allowsAttributes: allowsAttributes)
    let (pointer, set) = unsafe (pkcs7.pointer, trusted.set.pointer)
    let signer = try unsafe OpenSSLReference<CertificateObject>(
      { unsafe vb_message_signer(pointer, set) }, orThrow: { _ in .untrustedSigner })
    // One message has one spelling: what nothing covers is held to what the rest says.
    if let oddity = unsafe vb_message_oddity(pointer, signer.pointer) {
      throw .malformed(reason: unsafe String(cString: oddity))
    }
    let size = content?.count ?? 0
    guard let count = Int32(exactly: size) else { throw .openSSL(reason: "the bytes do not fit a memory BIO") }
    // What is detached has an address, also when it is empty.
    let detached = content.map { $0.isEmpty ? [0] : $0 }
    let signed = try unsafe OpenSSL.bytes(
      { length in
        guard let detached else { return unsafe vb_message_verify(pointer, set, nil, 0, length) }
        return unsafe detached.withUnsafeBytes {
          unsafe vb_message_verify(pointer, set, $0.baseAddress, count, length)
        }
      }, orThrow: { .badSignature(reason: $0) })
    return Verified(
      content: signed, signer: try Certificates.fingerprint(of: signer), certificate: try CertificateFacts(signer))
  }

  /// Checks that a message has the form that ``verify(_:content:trusted:allowsAttributes:)`` asks for, by any signer.
  public static func checkForm(
    _ message: [UInt8], isDetached: Bool, allowsAttributes: Bool = true
  ) throws(SignatureError) {
    try checkForm(parse(message), isDetached: isDetached, allowsAttributes: allowsAttributes)
  }

  private static func checkForm(
    _ message: borrowing OpenSSLReference<MessageObject>, isDetached: Bool, allowsAttributes: Bool
  ) throws(SignatureError) {
    let pointer = unsafe message.pointer
    let signers = Int(unsafe vb_message_signer_count(pointer))
    guard signers == 1 else { throw .signerCount(signers) }
    let found = unsafe vb_message_is_detached(pointer) != 0
    guard found == isDetached else { throw .contentPlacement(isDetached: found) }
    let digest = unsafe vb_message_digest(pointer)
    guard [VB_DIGEST_SHA256, VB_DIGEST_SHA384, VB_DIGEST_SHA512].contains(Int(digest)) else {
      let name = unsafe vb_digest_name(digest).map { unsafe String(cString: $0) }
      throw .weakDigest(name: name ?? "unknown")
    }
    guard unsafe allowsAttributes || vb_message_has_attributes(pointer) == 0 else { throw .attributes }
  }

  /// Reads exactly one signed message.
  private static func parse(_ message: [UInt8]) throws(SignatureError) -> OpenSSLReference<MessageObject> {
    let count = try DER.elementLength(message)
    guard count == message.count else { throw .trailingBytes(message.count - count) }
    let read = try unsafe OpenSSLReference<MessageObject>(
      { unsafe message.withUnsafeBufferPointer { unsafe vb_message_read($0.baseAddress, $0.count) } },
      orThrow: { .malformed(reason: $0) })
    guard unsafe vb_message_is_signed(read.pointer) != 0 else { throw .malformed(reason: "not of the type signedData") }
    let pointer = unsafe read.pointer
    let isSpelled = unsafe message.withUnsafeBufferPointer {
      unsafe vb_message_is_spelled(pointer, $0.baseAddress, $0.count) != 0
    }
    guard isSpelled else { throw .notDER(offset: 0) }
    return read
  }

  /// A message as OpenSSL writes it.
  private static func encoding(
    of message: borrowing OpenSSLReference<MessageObject>
  ) throws(SignatureError) -> [UInt8] {
    let pointer = unsafe message.pointer
    return try unsafe OpenSSL.bytes { count in unsafe vb_message_der(pointer, count) }
  }
}
