public import Base

extension VerityDescriptor {
  /// Computes the tree over a file's bytes and describes it ("Merkle tree" in fsverity.rst): blocks are filled up with
  /// zeros, the salt goes first, filled up to the block of the hash function; of one block, its hash is the root; of
  /// none, zeros are.
  public static func describing(
    _ content: borrowing RawSpan, algorithm: HashAlgorithm = .sha256, blockSize: Int = 4096, salt: [UInt8] = []
  ) throws(FSVerityError) -> VerityDescriptor {
    // Checked here, because they are computed with before there is a root hash.
    _ = try VerityDescriptor(
      algorithm: algorithm, blockSize: blockSize, salt: salt, dataSize: 0,
      rootHash: [UInt8](repeating: 0, count: algorithm.digestSize))
    let padded = paddedSalt(salt, algorithm)
    let size = UInt64(content.byteCount)
    guard content.byteCount > 0 else {
      return try VerityDescriptor(
        algorithm: algorithm, blockSize: blockSize, salt: salt, dataSize: 0,
        rootHash: [UInt8](repeating: 0, count: algorithm.digestSize))
    }
    var level = try hashes(of: content, padded, algorithm, blockSize)
    while level.count > algorithm.digestSize { level = try hashes(of: level.rawSpan, padded, algorithm, blockSize) }
    return try VerityDescriptor(
      algorithm: algorithm, blockSize: blockSize, salt: salt, dataSize: size, rootHash: level)
  }

  /// The file's digest: the hash of the descriptor. This is what FS_IOC_MEASURE_VERITY names, and IPE's
  /// `fsverity_digest`.
  public var digest: Digest {
    get throws(FSVerityError) {
      do throws(HashingError) {
        var state = try HashState(algorithm)
        state.update(bytes.rawSpan)
        return try state.finish()
      } catch {
        throw .hashing(error)
      }
    }
  }

  /// Proves that bytes are those of the file that the kernel names.
  ///
  /// - Parameters:
  ///   - content: the bytes, in memory that nobody else writes to.
  ///   - measured: the digest that the kernel names for the open file.
  /// - Throws: ``FSVerityError/digestMismatch(expected:found:)`` when this descriptor is not that of the digest;
  ///   ``FSVerityError/contentMismatch(expected:found:)`` when the bytes are not those under it.
  public func prove(_ content: borrowing RawSpan, measured: Digest) throws(FSVerityError) {
    let own = try digest
    guard own == measured else { throw .digestMismatch(expected: measured.description, found: own.description) }
    let computed = try Self.describing(content, algorithm: algorithm, blockSize: blockSize, salt: salt)
    guard computed == self else {
      throw .contentMismatch(expected: measured.description, found: try computed.digest.description)
    }
  }

  /// What a builtin signature signs: "FSVerity", algorithm and size in little endian, digest (`struct
  /// fsverity_formatted_digest`).
  public static func signedBytes(of digest: Digest) -> [UInt8] {
    let number = algorithms.first { $0.value == digest.algorithm }?.key ?? 0
    let size = UInt16(truncatingIfNeeded: digest.bytes.count)
    return Array("FSVerity".utf8)
      + [number, size].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } + digest.bytes
  }

  /// The salt, filled up with zeros to whole input blocks of the hash function: 64 bytes for SHA-256, 128 for SHA-512.
  private static func paddedSalt(_ salt: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8] {
    guard !salt.isEmpty else { return [] }
    return salt + [UInt8](repeating: 0, count: (algorithm == .sha512 ? 128 : 64) - salt.count)
  }

  /// The hashes of the blocks, one after the other.
  private static func hashes(
    of bytes: borrowing RawSpan, _ salt: [UInt8], _ algorithm: HashAlgorithm, _ blockSize: Int
  ) throws(FSVerityError) -> [UInt8] {
    var result: [UInt8] = []
    let zeros = [UInt8](repeating: 0, count: blockSize)
    do throws(HashingError) {
      for start in stride(from: 0, to: bytes.byteCount, by: blockSize) {
        let end = min(start + blockSize, bytes.byteCount)
        var state = try HashState(algorithm)
        if !salt.isEmpty { state.update(salt.rawSpan) }
        state.update(bytes.extracting(start..<end))
        if end - start < blockSize { state.update(zeros.rawSpan.extracting(0..<blockSize - (end - start))) }
        result += try state.finish().bytes
      }
    } catch {
      throw .hashing(error)
    }
    return result
  }
}
