public import ByteKit

/// What counts no more, whatever vouches for it: a text of lines `signer DIGEST`, `object DIGEST` and `root-hash
/// DIGEST`, with digests as `sha256:HEX`; `#` begins a comment.
///
/// A signer is the SHA-256 of a certificate in DER, a root hash that of an image, an object that of its file or, for a signed
/// one, of what its signature is over: that stays the same when the file is stripped or signed anew.
public struct Revocations: Sendable, Equatable {
  /// What a line can be about.
  public enum Kind: String, Sendable, CaseIterable {
    case signer
    case object
    case rootHash = "root-hash"
  }

  /// A line that is none of these.
  public struct Mistake: Error, Equatable {
    /// From 1.
    public let line: Int

    public init(line: Int) { self.line = line }
  }

  private var revoked: [Kind: Set<Digest>] = [:]

  /// Nothing is revoked.
  public init() {}

  /// Reads the text. A line that is not understood could be the one that matters, so it is an error.
  public init(text: [UInt8]) throws(Mistake) {
    for (index, bytes) in text.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      guard let line = String(validating: bytes, as: UTF8.self) else { throw Mistake(line: index + 1) }
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let first = words.first else { continue }
      guard words.count == 2, let kind = Kind(rawValue: String(first)), let digest = Digest(String(words[1])) else {
        throw Mistake(line: index + 1)
      }
      revoked[kind, default: []].insert(digest)
    }
  }

  /// Whether something was revoked.
  public func contains(_ kind: Kind, _ digest: Digest) -> Bool { revoked[kind]?.contains(digest) == true }

  /// How many lines there are.
  public var count: Int { revoked.values.reduce(0) { $0 + $1.count } }
}
