internal import CHashKernels

/// Hashes many blocks that all begin with the same salt: `H(salt || block)`.
///
/// SHA-256 goes through a ``HashKernel``. Where the processor has none, and for the other algorithms, OpenSSL absorbs the
/// salt once, and each block starts from a copy of that state. Not for use by several threads at a time: give each its own.
@safe
public struct BlockHasher: ~Copyable {
  /// The algorithm of every digest.
  public let algorithm: HashAlgorithm
  private let salt: [UInt8]
  private let kernel: HashKernel?
  private let lanes: Int
  /// Made when it is first needed: with kernels that is never, and opening libcrypto takes longer than most hashing.
  private var openSSL: OpenSSLHash?

  /// Absorbs the salt.
  ///
  /// - Parameter kernel: how to hash many blocks of SHA-256; nil, or a kernel this processor lacks, leaves it to OpenSSL.
  /// - Throws: ``HashingError`` when OpenSSL is needed and cannot provide the algorithm (no libcrypto, a FIPS
  ///   configuration, or no memory).
  public init(
    _ algorithm: HashAlgorithm, salt: borrowing RawSpan, kernel: HashKernel? = .fastest
  ) throws(HashingError) {
    self.algorithm = algorithm
    self.salt = salt.copyBytes()
    self.kernel = algorithm == .sha256 ? kernel : nil
    lanes = self.kernel?.lanes ?? 0
    openSSL = lanes > 0 ? nil : try OpenSSLHash(algorithm, prefix: salt)
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
    var done = 0
    if let kernel, lanes > 0 {
      done = hash(blocks, blockSize: blockSize, from: 0, to: count - count % lanes, by: kernel, into: &digests)
      // What fills no group of lanes: two streams waste less than sixteen lanes, and those less than opening libcrypto.
      let forRest = HashKernel.shani.isAvailable ? .shani : kernel
      done = hash(blocks, blockSize: blockSize, from: done, to: count, by: forRest, into: &digests)
    }
    guard done < count else { return }
    if openSSL == nil { openSSL = try OpenSSLHash(algorithm, prefix: salt.rawSpan) }
    let finished = unsafe blocks.withUnsafeBytes { input in
      unsafe digests.withUnsafeMutableBytes { output in
        for index in done..<count {
          let block = unsafe UnsafeRawBufferPointer(rebasing: input[index * blockSize..<(index + 1) * blockSize])
          guard let target = unsafe output.baseAddress?.advanced(by: index * digestSize),
            unsafe openSSL?.update(block) == true,
            unsafe openSSL?.finish(into: target.assumingMemoryBound(to: UInt8.self)) == true
          else { return false }
        }
        return true
      }
    }
    guard finished else { throw .unavailable(algorithm) }
  }

  /// Hashes the blocks of a range with a kernel, and returns the index of the first block that is still to be hashed.
  private func hash(
    _ blocks: borrowing RawSpan, blockSize: Int, from start: Int, to end: Int, by kernel: HashKernel,
    into digests: inout MutableRawSpan
  ) -> Int {
    guard start < end else { return start }
    let digestSize = algorithm.digestSize
    let status = unsafe blocks.withUnsafeBytes { input in
      unsafe digests.withUnsafeMutableBytes { output in
        unsafe salt.withUnsafeBufferPointer { salt in
          guard let source = input.baseAddress, let target = output.baseAddress else { return CInt(-1) }
          return unsafe vb_sha256_blocks(
            kernel.rawValue, salt.baseAddress, salt.count,
            source.advanced(by: start * blockSize).assumingMemoryBound(to: UInt8.self), blockSize, end - start,
            target.advanced(by: start * digestSize).assumingMemoryBound(to: UInt8.self))
        }
      }
    }
    return status == 0 ? end : start
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
