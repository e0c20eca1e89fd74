public import Base

/// How the blocks of a Merkle tree are hashed, in the data and in the tree alike: `H(salt || block)`.
public struct DigestRule: Hashable, Sendable {
  public let algorithm: HashAlgorithm
  /// What goes into the hash before each block.
  let prefix: [UInt8]

  /// How the salt goes into the hash.
  public enum SaltForm: Hashable, Sendable {
    /// As it is: dm-verity's hash type 1 (`verity_hash_init` in drivers/md/dm-verity-target.c).
    case plain
    /// Filled up with zeros to whole input blocks of the hash function: fs-verity (`fsverity_prepare_hash_state` in
    /// fs/verity/hash_algs.c), which so hashes the salt once for a whole tree.
    case padded
  }

  public init(_ algorithm: HashAlgorithm, salt: [UInt8], _ form: SaltForm) {
    self.algorithm = algorithm
    switch form {
    case .plain: prefix = salt
    case .padded:
      let size = algorithm.inputBlockSize
      prefix = salt + [UInt8](repeating: 0, count: (size - salt.count % size) % size)
    }
  }

  /// A hasher that has absorbed the salt.
  func makeHasher() throws(HashingError) -> BlockHasher { try BlockHasher(algorithm, salt: prefix.rawSpan) }
}
