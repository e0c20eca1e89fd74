internal import COpenSSL

/// A hash computed by OpenSSL, in pieces; it can begin anew with the same first bytes.
@safe
struct OpenSSLHash: ~Copyable {
  // All three are owned by this value alone: made in `init`, freed in `deinit`, never handed out.
  private let implementation: OpaquePointer
  private let prefixed: OpaquePointer
  private let working: OpaquePointer

  /// Fetches the implementation, absorbs the bytes that every message begins with, and begins a message.
  ///
  /// - Throws: ``HashingError/unavailable(_:)`` when OpenSSL is not there or cannot provide the algorithm.
  init(_ algorithm: HashAlgorithm, prefix: borrowing RawSpan) throws(HashingError) {
    guard let implementation = unsafe EVP_MD_fetch(nil, algorithm.openSSLName, nil) else {
      throw .unavailable(algorithm)
    }
    guard let prefixed = unsafe EVP_MD_CTX_new() else {
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    guard let working = unsafe EVP_MD_CTX_new() else {
      unsafe EVP_MD_CTX_free(prefixed)
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    let ready = unsafe prefix.withUnsafeBytes { bytes in
      unsafe EVP_DigestInit_ex2(prefixed, implementation, nil) == 1
        && EVP_DigestUpdate(prefixed, bytes.baseAddress, bytes.count) == 1
        && EVP_MD_CTX_copy_ex(working, prefixed) == 1
    }
    guard ready else {
      unsafe EVP_MD_CTX_free(working)
      unsafe EVP_MD_CTX_free(prefixed)
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    unsafe self.implementation = implementation
    unsafe self.prefixed = prefixed
    unsafe self.working = working
  }

  deinit {
    unsafe EVP_MD_CTX_free(working)
    unsafe EVP_MD_CTX_free(prefixed)
    unsafe EVP_MD_free(implementation)
  }

  /// Adds bytes; false when OpenSSL could not.
  borrowing func update(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe EVP_DigestUpdate(working, bytes.baseAddress, bytes.count) == 1
  }

  /// Ends the message, writes its digest, and begins the next one; false when OpenSSL could not.
  borrowing func finish(into digest: UnsafeMutablePointer<UInt8>) -> Bool {
    unsafe EVP_DigestFinal_ex(working, digest, nil) == 1 && EVP_MD_CTX_copy_ex(working, prefixed) == 1
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
