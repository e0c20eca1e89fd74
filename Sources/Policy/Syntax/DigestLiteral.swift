public import Base

/// `alg:hex` as policies and facts write it, with any algorithm name and any number of bytes.
///
/// The kernel's parser checks neither (`ipe_digest_parse`), so a policy can hold digests that no file has; this
/// type can say them, which ``Base/Digest`` on purpose cannot.
public struct DigestLiteral: Sendable, CustomStringConvertible {
  /// The bytes before the first colon. The kernel compares them exactly: `SHA256` is not `sha256`.
  public let algorithm: [UInt8]
  public let bytes: [UInt8]
  /// A well-mixed function of both, made once, because the engine looks digests up far more often than it makes them.
  public let mixedHash: UInt64

  public init(algorithm: [UInt8], bytes: [UInt8]) {
    self.algorithm = algorithm
    self.bytes = bytes
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ UInt64(truncatingIfNeeded: bytes.count)
    // FNV-1a over eight bytes at a time; the last step spreads the high bits down to where a table's mask looks.
    var word: UInt64 = 0
    var filled = 0
    for byte in bytes {
      word = word << 8 | UInt64(byte)
      filled += 1
      if filled == 8 {
        hash = (hash ^ word) &* 0x0000_0100_0000_01b3
        word = 0
        filled = 0
      }
    }
    hash = (hash ^ word) &* 0x0000_0100_0000_01b3
    for byte in algorithm { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    hash ^= hash >> 32
    hash = hash &* 0x9e37_79b9_7f4a_7c15
    mixedHash = hash ^ hash >> 29
  }

  /// A digest as policies write it.
  public init(_ digest: Digest) {
    self.init(algorithm: Array(digest.algorithm.rawValue.utf8), bytes: digest.bytes)
  }

  /// Why a text is no digest, in the kernel's terms.
  public enum Failure: Error, Equatable, Sendable {
    /// No colon: EBADMSG.
    case noColon
    /// The digits are no hexadecimal, or odd in number: EINVAL.
    case badDigits
  }

  /// Reads `alg:hex`. Everything before the first colon is the algorithm, even nothing.
  public init(parsing text: some Collection<UInt8>) throws(Failure) {
    guard let colon = text.firstIndex(of: 0x3a) else { throw .noColon }
    guard let bytes = Hex.decode(digits: text[text.index(after: colon)...]) else { throw .badDigits }
    self.init(algorithm: Array(text[..<colon]), bytes: bytes)
  }

  /// Reads `alg:hex`; nil when it is none.
  public init?(_ text: String) {
    guard let value = try? DigestLiteral(parsing: Array(text.utf8)) else { return nil }
    self = value
  }

  /// The digest in lower-case digits.
  public var hex: String { Hex.encode(bytes) }

  /// `alg:hex` with lower-case digits.
  public var description: String { "\(String(decoding: algorithm, as: UTF8.self)):\(hex)" }

  /// Bytes that digests of the algorithm have; nil for a name that dm-verity and fs-verity do not know.
  ///
  /// The names are those of the kernel's crypto API that Documentation/admin-guide/LSM/ipe.rst lists, and sha1,
  /// which works too.
  public static func size(of algorithm: [UInt8]) -> Int? { sizes[String(decoding: algorithm, as: UTF8.self)] }

  /// The names of all such algorithms.
  public static var knownAlgorithms: [String] { Array(sizes.keys) }

  static let sizes: [String: Int] = [
    "blake2b-512": 64, "blake2s-256": 32, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "sha3-224": 28,
    "sha3-256": 32, "sha3-384": 48, "sha3-512": 64, "sm3": 32, "rmd160": 20,
  ]
}

extension DigestLiteral: Hashable {
  @inlinable
  public static func == (left: DigestLiteral, right: DigestLiteral) -> Bool {
    left.mixedHash == right.mixedHash && left.bytes == right.bytes && left.algorithm == right.algorithm
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(bytes)
    hasher.combine(algorithm)
  }
}
