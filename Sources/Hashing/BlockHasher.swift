public import ByteKit
internal import CHashKernels
internal import COpenSSL

/// Hashes many blocks that all begin with the same salt: `H(salt || block)`.
///
/// SHA-256 goes through a ``HashKernel`` as far as whole groups of lanes can be filled. For the rest, OpenSSL's
/// implementation is fetched once and absorbs the salt once; each block starts from a copy of that state.
/// Not for use by several threads at a time: give each its own.
@safe
public struct BlockHasher: ~Copyable {
  /// The algorithm of every digest.
  public let algorithm: HashAlgorithm
  // All three are owned by this value alone: made in `init`, freed in `deinit`, never handed out.
  private let implementation: OpaquePointer
  private let salted: OpaquePointer
  private let working: OpaquePointer
  private let salt: [UInt8]
  private let kernel: HashKernel?
  private let lanes: Int

  /// Absorbs the salt.
  ///
  /// - Parameter kernel: how to hash many blocks of SHA-256; nil, or a kernel this processor lacks, leaves it to OpenSSL.
  /// - Throws: ``HashingError`` when OpenSSL cannot provide the algorithm (a FIPS configuration, or no memory).
  public init(
    _ algorithm: HashAlgorithm, salt: borrowing RawSpan, kernel: HashKernel? = .fastest
  ) throws(HashingError) {
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
    self.salt = salt.copyBytes()
    self.kernel = algorithm == .sha256 ? kernel : nil
    lanes = self.kernel?.lanes ?? 0
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
        let together = unsafe hashTogether(source, blockSize: blockSize, count: count, target)
        for index in together..<count {
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

  /// Hashes as many blocks as fill whole groups of lanes, and returns how many those are.
  private func hashTogether(
    _ source: UnsafeRawPointer, blockSize: Int, count: Int, _ target: UnsafeMutableRawPointer
  ) -> Int {
    guard let kernel, lanes > 0, count >= lanes else { return 0 }
    let together = count - count % lanes
    let status = unsafe salt.withUnsafeBufferPointer { salt in
      unsafe vb_sha256_blocks(
        kernel.rawValue, salt.baseAddress, salt.count, source.assumingMemoryBound(to: UInt8.self), blockSize, together,
        target.assumingMemoryBound(to: UInt8.self))
    }
    return status == 0 ? together : 0
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
