internal import Base
internal import COpenSSL

/// How a private key is named. It is only looked for when something is to be signed.
public struct KeySource: Sendable {
  /// Where a key is.
  public enum Place: Sendable {
    /// The contents of a PEM file.
    case pem([UInt8])
    /// A URI, see ``PrivateKey/init(uri:passphrase:)``.
    case uri
  }

  public var place: Place
  /// The file's path or the URI, for messages too.
  public var name: String
  /// What opens the key where it is kept under a pass phrase, or a PIN.
  public var passphrase: [UInt8]?

  public init(_ place: Place, name: String, passphrase: [UInt8]? = nil) {
    self.place = place
    self.name = name
    self.passphrase = passphrase
  }
}

/// A private key to sign with: from a PEM file, or held by a provider (a PKCS#11 token, a TPM) that signs itself.
///
/// It belongs to the context that signs, which alone reads OpenSSL's configuration.
@safe
public struct PrivateKey: ~Copyable {
  let object: OpenSSLReference<PrivateKeyObject>
  /// Where it signs: `vb_signing_context`, or OpenSSL's own context for a key that was made in it. Lives as long as the
  /// process.
  let context: OpaquePointer?

  /// Reads the first private key of a PEM text. Nobody is asked for a pass phrase.
  ///
  /// - Parameter name: what the key is called in messages.
  public init(pem: [UInt8], name: String = "the key", passphrase: [UInt8]? = nil) throws(SignatureError) {
    try self.init(KeySource(.pem(pem), name: name, passphrase: passphrase))
  }

  /// Finds a key by a URI that OpenSSL's store opens: `file:`, or the scheme of a provider that openssl.cnf loads, such
  /// as `pkcs11:`. Where no provider knows `pkcs11:`, OpenSSL's engine of that name is asked (libp11, which is what
  /// Debian 12 has). The key need not leave its token.
  public init(uri: String, passphrase: [UInt8]? = nil) throws(SignatureError) {
    try self.init(KeySource(.uri, name: uri, passphrase: passphrase))
  }

  /// The key of that name.
  ///
  /// - Throws: ``SignatureError/passphrase(key:isGiven:)`` when it is kept under a pass phrase that is not the one given.
  public init(_ source: KeySource) throws(SignatureError) {
    let context = try unsafe OpenSSL.signingContext()
    // With a byte more, so that an empty one has an address too.
    let phrase = ((source.passphrase ?? []) + [0]).map { CChar(bitPattern: $0) }
    var passphrase = unsafe vb_passphrase(text: nil, count: Int32(clamping: phrase.count - 1), was_asked: 0)
    object = try unsafe OpenSSLReference(
      {
        unsafe phrase.withUnsafeBufferPointer { known in
          if source.passphrase != nil { unsafe passphrase.text = known.baseAddress }
          switch source.place {
          case .pem(let pem):
            return unsafe pem.withUnsafeBytes { bytes in
              unsafe vb_private_key_from_pem(bytes.baseAddress, Int32(clamping: bytes.count), context, &passphrase)
            }
          case .uri:
            return source.name.withSystemPath { unsafe vb_private_key_from_uri($0, context, &passphrase) }
          }
        }
      },
      orThrow: { reason in
        unsafe passphrase.was_asked != 0
          ? .passphrase(key: source.name, isGiven: source.passphrase != nil)
          : .noPrivateKey(key: source.name, reason: reason)
      })
    unsafe self.context = context
  }

  /// Takes over a key that was made without a configuration.
  init(adopting object: consuming OpenSSLReference<PrivateKeyObject>) {
    self.object = object
    unsafe context = nil
  }

  /// Throws ``SignatureError/keyKind(name:)`` for the kinds of which OpenSSL would only say that a step failed. What a
  /// provider keeps under no number of OpenSSL's own is left to it.
  borrowing func requireKind() throws(SignatureError) {
    let kinds = [
      VB_KEY_X25519: "X25519", VB_KEY_X448: "X448", VB_KEY_ED25519: "Ed25519", VB_KEY_ED448: "Ed448",
    ]
    if let name = kinds[Int(unsafe vb_private_key_kind(object.pointer))] { throw .keyKind(name: name) }
  }

  /// Whether a name is a URI and no path: a scheme of two letters or more, then a colon (RFC 3986, section 3.1).
  public static func isURI(_ name: String) -> Bool {
    let scheme = name.prefix { $0 != ":" }
    guard scheme.count < name.count, scheme.count > 1, let first = scheme.utf8.first else { return false }
    let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte | 0x20) }
    return isLetter(first)
      && scheme.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e].contains($0) }
  }
}
