public import Base

/// The root hash as text: in a `.roothash` file, or on a command line.
public enum RootHashFile {
  /// The longest file accepted, in bytes: 128 digits and a newline.
  public static let maximumByteCount = 129

  /// Reads hexadecimal digits of either case, with at most one newline after them, and nothing else.
  ///
  /// The number of digits tells the algorithm: 64 for SHA-256, 128 for SHA-512.
  ///
  /// - Throws: ``LayoutError/rootHash(found:)``.
  public static func parse(_ bytes: [UInt8]) throws(LayoutError) -> Digest {
    guard bytes.count <= maximumByteCount else { throw .rootHash(found: "more than \(maximumByteCount) bytes") }
    let digits = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
    guard let hash = Hex.decode(digits: digits) else {
      let strange = digits.firstIndex { !isDigit($0) }
      throw .rootHash(found: strange.map { "byte \($0) is no hexadecimal digit" } ?? "\(digits.count) digits")
    }
    guard let digest = Digest(.sha256, bytes: hash) ?? Digest(.sha512, bytes: hash) else {
      throw .rootHash(found: "\(digits.count) digits")
    }
    return digest
  }

  /// Reads a root hash as a person gives it: the digits alone, or `sha256:` or `sha512:` before them.
  ///
  /// - Throws: ``LayoutError/rootHash(found:)``.
  public static func parse(argument text: String) throws(LayoutError) -> Digest {
    for algorithm in [HashAlgorithm.sha256, .sha512] where text.hasPrefix("\(algorithm.rawValue):") {
      let digest = try parse(Array(text.utf8.dropFirst(algorithm.rawValue.utf8.count + 1)))
      guard digest.algorithm == algorithm, !text.hasSuffix("\n") else {
        throw .rootHash(found: "`\(algorithm.rawValue):` before \(digest.bytes.count * 2) digits")
      }
      return digest
    }
    return try parse(Array(text.utf8))
  }

  /// The file's text as it is written: lower-case digits without a newline, which is also what a signature covers.
  public static func text(_ rootHash: Digest) -> String { rootHash.hex }

  private static func isDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
