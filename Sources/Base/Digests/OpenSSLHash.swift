internal import COpenSSL

/// A hash computed by OpenSSL, in pieces; it can begin anew with the same first bytes.
@safe
struct OpenSSLHash: ~Copyable {
  // Owned by this value alone: made in `init`, freed in `deinit`, never handed out.
  private let digest: OpaquePointer

  /// Fetches the implementation, absorbs the bytes that every message begins with, and begins a message.
  ///
  /// - Throws: ``HashingError/unavailable(_:)`` when OpenSSL is not there or cannot provide the algorithm.
  init(_ algorithm: HashAlgorithm, prefix: borrowing RawSpan) throws(HashingError) {
    guard let made = OpenSSLHash(named: algorithm.openSSLName, prefix: prefix) else { throw .unavailable(algorithm) }
    self = made
  }

  /// The same by OpenSSL's own name for an algorithm; nil when it cannot provide it.
  init?(named name: String, prefix: borrowing RawSpan) {
    let made = unsafe prefix.withUnsafeBytes { bytes in
      unsafe vb_digest_new(name, bytes.baseAddress, bytes.count)
    }
    guard let made = unsafe made else { return nil }
    unsafe digest = made
  }

  deinit { unsafe vb_digest_free(digest) }

  /// Adds bytes; false when OpenSSL could not.
  borrowing func update(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe vb_digest_update(digest, bytes.baseAddress, bytes.count).code == 1
  }

  /// Ends the message, writes its digest, and begins the next one; false when OpenSSL could not.
  borrowing func finish(into bytes: UnsafeMutablePointer<UInt8>) -> Bool {
    unsafe vb_digest_finish(digest, bytes).code == 1
  }
}

extension HashAlgorithm {
  /// The name OpenSSL 3's default provider registers the algorithm under (EVP_MD-SHA2(7)).
  fileprivate var openSSLName: String {
    switch self {
    case .sha256: "SHA2-256"
    case .sha384: "SHA2-384"
    case .sha512: "SHA2-512"
    }
  }
}
