public import Base

extension VerityDescriptor {
  /// Computes the tree over a file's bytes and describes it ("Merkle tree" in fsverity.rst): the last block is filled up
  /// with zeros, and so is the salt; of an empty file the root hash is zeros.
  public static func describing(
    _ content: borrowing RawSpan, algorithm: HashAlgorithm = .sha256, blockSize: Int = 4096, salt: [UInt8] = []
  ) throws(FSVerityError) -> VerityDescriptor {
    // Checked here, because they are computed with before there is a root hash.
    let empty = try VerityDescriptor(
      algorithm: algorithm, blockSize: blockSize, salt: salt, dataSize: 0,
      rootHash: [UInt8](repeating: 0, count: algorithm.digestSize))
    var rootHash = [UInt8](repeating: 0, count: algorithm.digestSize)
    if content.byteCount > 0 {
      do throws(VerityError) {
        let rule = DigestRule(algorithm, salt: salt, .padded)
        rootHash = try MerkleTree.rootHash(of: content, rule, blockSize: empty.block).bytes
      } catch {
        throw FSVerityError(error)
      }
    }
    return try VerityDescriptor(
      algorithm: algorithm, blockSize: blockSize, salt: salt, dataSize: UInt64(content.byteCount), rootHash: rootHash)
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
}
