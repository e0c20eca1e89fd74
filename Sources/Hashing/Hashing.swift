public import ByteKit
internal import COpenSSL

/// A running hash, computed by OpenSSL's fetched implementation of the algorithm.
@safe
public struct HashState: ~Copyable {
  private let algorithm: HashAlgorithm
  // Owned by this value alone: made in `init`, freed in `deinit`, never handed out.
  private let context: OpaquePointer

  /// Begins a hash.
  ///
  /// - Throws: ``HashingError`` when OpenSSL cannot provide the algorithm (a FIPS configuration, or no memory).
  public init(_ algorithm: HashAlgorithm) throws(HashingError) {
    guard let context = unsafe EVP_MD_CTX_new() else { throw .unavailable(algorithm) }
    let implementation =
      switch algorithm {
      case .sha256: unsafe EVP_sha256()
      case .sha384: unsafe EVP_sha384()
      case .sha512: unsafe EVP_sha512()
      }
    guard unsafe EVP_DigestInit_ex2(context, implementation, nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      throw .unavailable(algorithm)
    }
    self.algorithm = algorithm
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds bytes to the hash.
  public mutating func update(_ bytes: borrowing RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in
      _ = unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
    }
  }

  /// Ends the hash.
  public consuming func finish() throws(HashingError) -> Digest {
    var output = [UInt8](repeating: 0, count: algorithm.digestSize)
    let done = unsafe output.withUnsafeMutableBufferPointer { buffer in
      unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
    }
    guard done == 1, let digest = Digest(algorithm, bytes: output) else { throw .unavailable(algorithm) }
    return digest
  }
}

/// OpenSSL could not compute a hash.
public enum HashingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The algorithm is not provided (a FIPS configuration), or memory ran out.
  case unavailable(HashAlgorithm)
  /// The caller's buffers do not fit each other, in bytes.
  case bufferSize(expected: Int, found: Int)

  /// One sentence without a full stop.
  public var description: String {
    switch self {
    case .unavailable(let algorithm): "OpenSSL does not provide \(algorithm.rawValue) here"
    case .bufferSize(let expected, let found): "a hash buffer has \(found) bytes where \(expected) are needed"
    }
  }
}

extension Digest {
  /// The digest of some bytes at once.
  public static func of(_ bytes: borrowing RawSpan, _ algorithm: HashAlgorithm = .sha256) throws(HashingError) -> Digest
  {
    var state = try HashState(algorithm)
    state.update(bytes)
    return try state.finish()
  }
}
