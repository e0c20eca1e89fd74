public import Base

/// An ALLOW, good for exactly one object.
///
/// Only this module makes one, out of a decision; whoever acts on it consumes it and checks ``objectDigest``.
public struct Permit: ~Copyable {
  /// SHA-256 of the bytes the decision was about.
  public let objectDigest: Digest

  init(objectDigest: Digest) { self.objectDigest = objectDigest }
}
