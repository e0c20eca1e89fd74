internal import COpenSSL

/// How a private key is named. It is only looked for when something is to be signed.
public enum KeySource: Sendable {
  /// The contents of a PEM file.
  case pem([UInt8])
  /// A URI, see ``PrivateKey/init(uri:)``.
  case uri(String)
}

/// A private key to sign with: from a PEM file, or held by a provider (a PKCS#11 token, a TPM) that signs itself.
@safe
public struct PrivateKey: ~Copyable {
  // Owned by this value alone: made in `init`, freed in `deinit`.
  let handle: OpaquePointer

  /// Reads the first private key of a PEM file. A key with a passphrase is refused: nobody is asked.
  public init(pem: [UInt8]) throws(SignatureError) {
    var key: OpaquePointer?
    try unsafe MemoryBIO.reading(pem) { bio throws(SignatureError) in
      // An empty passphrase, so that an encrypted key is an error and not a question on the terminal.
      unsafe key = unsafe "".withCString { empty in
        unsafe PEM_read_bio_PrivateKey(bio, nil, nil, UnsafeMutableRawPointer(mutating: empty))
      }
    }
    guard let key = unsafe key else { throw .noPrivateKey(reason: OpenSSLErrors.take()) }
    unsafe handle = key
  }

  /// Finds a key by a URI that OpenSSL's store opens: `file:`, or the scheme of a provider that openssl.cnf loads, such
  /// as `pkcs11:`. Where no provider knows `pkcs11:`, OpenSSL's engine of that name is asked (libp11, which is what
  /// Debian 12 has). The key need not leave its token.
  public init(uri: String) throws(SignatureError) {
    guard let key = unsafe uri.withCString({ unsafe vb_store_private_key($0) }) else {
      throw .noPrivateKey(reason: OpenSSLErrors.take())
    }
    _ = OpenSSLErrors.take()
    unsafe handle = key
  }

  /// The key of that name.
  public init(_ source: KeySource) throws(SignatureError) {
    switch source {
    case .pem(let bytes): try self.init(pem: bytes)
    case .uri(let uri): try self.init(uri: uri)
    }
  }

  /// Throws ``SignatureError/keyKind(name:)`` for the kinds of which OpenSSL would only say that a step failed
  /// (`EVP_PKEY_*` of openssl/evp.h). What a provider keeps under no number of OpenSSL's own is left to it.
  borrowing func requireKind() throws(SignatureError) {
    let kinds: [Int32: String] = [1034: "X25519", 1035: "X448", 1087: "Ed25519", 1088: "Ed448"]
    if let name = kinds[unsafe EVP_PKEY_get_base_id(handle)] { throw .keyKind(name: name) }
  }

  /// Takes a key over.
  init(adopting key: OpaquePointer) { unsafe handle = key }

  deinit { unsafe EVP_PKEY_free(handle) }

  /// Whether a name is a URI and no path: a scheme of two letters or more, then a colon (RFC 3986, section 3.1).
  public static func isURI(_ name: String) -> Bool {
    let scheme = name.prefix { $0 != ":" }
    guard scheme.count < name.count, scheme.count > 1, let first = scheme.utf8.first else { return false }
    let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte | 0x20) }
    return isLetter(first)
      && scheme.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e].contains($0) }
  }
}
