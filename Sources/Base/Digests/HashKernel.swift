internal import CHashKernels

/// A way to compute SHA-256 of many equal-sized blocks at once, with one block a SIMD lane.
///
/// OpenSSL hashes one message at a time. On processors with wide vectors that leaves most of the arithmetic units idle.
public enum HashKernel: CInt, Sendable, CaseIterable {
  /// 16 lanes of AVX-512.
  case avx512 = 0
  /// 8 lanes of AVX2.
  case avx2 = 1
  /// Two interleaved streams of the SHA extensions; the one kernel that is worth while for a single message.
  case shani = 2
  /// Four interleaved streams of the SHA extensions, with the message words in the upper registers of AVX-512.
  case shani4 = 3

  /// How many blocks are hashed at once, or 0 when this processor cannot.
  public var lanes: Int { Int(vb_sha256_lanes(rawValue)) }

  /// Whether this processor and operating system can run it.
  public var isAvailable: Bool { lanes > 0 }

  /// The fastest kernel this processor has; nil when OpenSSL is all there is.
  public static let fastest = HashKernel(rawValue: vb_sha256_fastest())
}
