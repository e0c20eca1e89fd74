internal import CHashKernels

/// A running hash: SHA-256 by the processor's SHA extensions where it has them, the rest by OpenSSL.
@safe
public struct HashState: ~Copyable {
  private let algorithm: HashAlgorithm
  private var extensions: vb_sha256
  /// Nil where the SHA extensions do the work.
  private let openSSL: OpenSSLHash?
  private var isComplete = true

  /// Begins a hash.
  ///
  /// - Parameter kernel: nil leaves even SHA-256 to OpenSSL.
  /// - Throws: ``HashingError`` when OpenSSL is needed and cannot provide the algorithm (no libcrypto, a FIPS
  ///   configuration, or no memory).
  public init(_ algorithm: HashAlgorithm, kernel: HashKernel? = .fastest) throws(HashingError) {
    self.algorithm = algorithm
    extensions = vb_sha256()
    if algorithm == .sha256, kernel != nil, HashKernel.shani.isAvailable {
      openSSL = nil
      unsafe vb_sha256_begin(&extensions)
    } else {
      openSSL = try OpenSSLHash(algorithm, prefix: RawSpan())
    }
  }

  /// Adds bytes to the hash.
  public mutating func update(_ bytes: borrowing RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in
      if openSSL != nil {
        isComplete = unsafe openSSL?.update(buffer) == true && isComplete
      } else {
        unsafe vb_sha256_update(&extensions, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
      }
    }
  }

  /// Ends the hash.
  public consuming func finish() throws(HashingError) -> Digest {
    var output = [UInt8](repeating: 0, count: algorithm.digestSize)
    let done = unsafe output.withUnsafeMutableBufferPointer { buffer in
      guard isComplete, let target = buffer.baseAddress else { return false }
      if openSSL != nil { return unsafe openSSL?.finish(into: target) == true }
      unsafe vb_sha256_finish(&extensions, target)
      return true
    }
    guard done, let digest = Digest(algorithm, bytes: output) else { throw .unavailable(algorithm) }
    return digest
  }
}

/// OpenSSL could not compute a hash.
public enum HashingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The algorithm is not provided (no libcrypto, a FIPS configuration), or memory ran out.
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
  ///
  /// - Parameter kernel: nil leaves even SHA-256 to OpenSSL.
  public static func of(
    _ bytes: borrowing RawSpan, _ algorithm: HashAlgorithm = .sha256, kernel: HashKernel? = .fastest
  ) throws(HashingError) -> Digest {
    var state = try HashState(algorithm, kernel: kernel)
    state.update(bytes)
    return try state.finish()
  }
}
