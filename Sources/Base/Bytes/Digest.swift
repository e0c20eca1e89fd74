/// The hash algorithms this project computes, by their kernel crypto API names.
public enum HashAlgorithm: String, Sendable, Hashable, CaseIterable {
  case sha256
  case sha384
  case sha512

  /// Bytes a digest has.
  @inlinable
  public var digestSize: Int {
    switch self {
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  /// Bytes that the hash function takes in at a time (FIPS 180-4, figure 1).
  public var inputBlockSize: Int {
    switch self {
    case .sha256: 64
    case .sha384, .sha512: 128
    }
  }
}

/// A digest together with the algorithm that made it, written `sha256:hex`.
///
/// Two digests compare in time that does not depend on where they differ.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  public let algorithm: HashAlgorithm
  /// Exactly ``HashAlgorithm/digestSize`` bytes.
  public let bytes: [UInt8]

  /// Wraps raw digest bytes; nil when their number is not the algorithm's.
  public init?(_ algorithm: HashAlgorithm, bytes: [UInt8]) {
    guard bytes.count == algorithm.digestSize else { return nil }
    self.algorithm = algorithm
    self.bytes = bytes
  }

  /// Reads bare hexadecimal digits of either case; nil when they are no digits or of another length.
  public init?(_ algorithm: HashAlgorithm, hex: String) {
    guard let bytes = Hex.decode(hex) else { return nil }
    self.init(algorithm, bytes: bytes)
  }

  /// The same for a part of a string.
  public init?(_ algorithm: HashAlgorithm, hex: Substring) {
    guard let bytes = Hex.decode(hex) else { return nil }
    self.init(algorithm, bytes: bytes)
  }

  /// Reads `alg:hex`, the form policies and JSON use.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":"),
      let algorithm = HashAlgorithm(rawValue: String(text[..<colon]))
    else { return nil }
    self.init(algorithm, hex: text[text.index(after: colon)...])
  }

  /// Lower-case digits without the algorithm, as root-hash files hold them.
  public var hex: String { Hex.encode(bytes) }

  /// `alg:hex`.
  public var description: String { "\(algorithm.rawValue):\(hex)" }

  public static func == (left: Digest, right: Digest) -> Bool {
    guard left.algorithm == right.algorithm, left.bytes.count == right.bytes.count else { return false }
    var difference: UInt8 = 0
    for index in left.bytes.indices { difference |= left.bytes[index] ^ right.bytes[index] }
    return difference == 0
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(algorithm)
    hasher.combine(bytes)
  }
}
