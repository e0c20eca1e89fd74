public import ByteKit
internal import COpenSSL

/// Hashes many blocks that all begin with the same salt: `H(salt || block)`.
///
/// The implementation is fetched from OpenSSL once and the salt is absorbed once; each block starts from a copy of
/// that state. Not for use by several threads at a time: give each its own.
@safe
public struct BlockHasher: ~Copyable {
  public let algorithm: HashAlgorithm
  // All three are owned by this value alone: made in `init`, freed in `deinit`, never handed out.
  private let implementation: OpaquePointer
  private let salted: OpaquePointer
  private let working: OpaquePointer

  /// Absorbs the salt.
  ///
  /// - Throws: ``HashingError`` when OpenSSL cannot provide the algorithm (a FIPS configuration, or no memory).
  public init(_ algorithm: HashAlgorithm, salt: borrowing RawSpan) throws(HashingError) {
    guard let implementation = unsafe EVP_MD_fetch(nil, algorithm.openSSLName, nil) else {
      throw .unavailable(algorithm)
    }
    guard let salted = unsafe EVP_MD_CTX_new() else {
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    guard let working = unsafe EVP_MD_CTX_new() else {
      unsafe EVP_MD_CTX_free(salted)
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    let ready = unsafe salt.withUnsafeBytes { bytes in
      unsafe EVP_DigestInit_ex2(salted, implementation, nil) == 1
        && EVP_DigestUpdate(salted, bytes.baseAddress, bytes.count) == 1
    }
    guard ready else {
      unsafe EVP_MD_CTX_free(working)
      unsafe EVP_MD_CTX_free(salted)
      unsafe EVP_MD_free(implementation)
      throw .unavailable(algorithm)
    }
    self.algorithm = algorithm
    unsafe self.implementation = implementation
    unsafe self.salted = salted
    unsafe self.working = working
  }

  deinit {
    unsafe EVP_MD_CTX_free(working)
    unsafe EVP_MD_CTX_free(salted)
    unsafe EVP_MD_free(implementation)
  }

  /// Hashes consecutive blocks of `blockSize` bytes and writes their digests one after the other.
  ///
  /// - Parameters:
  ///   - blocks: a whole number of blocks.
  ///   - digests: room for exactly one digest a block.
  /// - Throws: ``HashingError/bufferSize(expected:found:)`` when the sizes do not fit each other.
  public mutating func hashBlocks(
    _ blocks: borrowing RawSpan, blockSize: Int, into digests: inout MutableRawSpan
  ) throws(HashingError) {
    let digestSize = algorithm.digestSize
    guard blockSize > 0, blocks.byteCount.isMultiple(of: blockSize) else {
      throw .bufferSize(expected: blockSize, found: blocks.byteCount)
    }
    let count = blocks.byteCount / blockSize
    guard digests.byteCount == count * digestSize else {
      throw .bufferSize(expected: count * digestSize, found: digests.byteCount)
    }
    let done = unsafe blocks.withUnsafeBytes { input in
      unsafe digests.withUnsafeMutableBytes { output in
        guard let source = input.baseAddress, let target = output.baseAddress else { return count == 0 }
        for index in 0..<count {
          let place = unsafe target.advanced(by: index * digestSize).assumingMemoryBound(to: UInt8.self)
          let hashed =
            unsafe EVP_MD_CTX_copy_ex(working, salted) == 1
            && EVP_DigestUpdate(working, source.advanced(by: index * blockSize), blockSize) == 1
            && EVP_DigestFinal_ex(working, place, nil) == 1
          guard hashed else { return false }
        }
        return true
      }
    }
    guard done else { throw .unavailable(algorithm) }
  }

  /// The digest of one block.
  public mutating func hash(_ block: borrowing RawSpan) throws(HashingError) -> Digest {
    var output = [UInt8](repeating: 0, count: algorithm.digestSize)
    do {
      var span = output.mutableSpan
      var view = unsafe span.mutableBytes
      try hashBlocks(block, blockSize: block.byteCount, into: &view)
    }
    guard let digest = Digest(algorithm, bytes: output) else { throw .unavailable(algorithm) }
    return digest
  }
}

extension HashAlgorithm {
  /// The name OpenSSL 3's default provider registers the algorithm under (EVP_MD-SHA2(7)).
  var openSSLName: String {
    switch self {
    case .sha256: "SHA2-256"
    case .sha384: "SHA2-384"
    case .sha512: "SHA2-512"
    }
  }
}
