public import Base

/// An entry of the list of what was revoked, as the reason why something is refused.
public struct Revocation: Diagnosable, Equatable, Sendable {
  /// What an entry can be about.
  public enum Kind: String, Sendable, CaseIterable {
    /// A certificate, by the SHA-256 of its DER form.
    case signer
    /// An object, by the SHA-256 of its file or, for a signed one, of what its signature is over: that stays the same when
    /// the file is stripped or signed anew.
    case object
    /// An image or a volume, by its root hash.
    case rootHash = "root-hash"
  }

  public let kind: Kind
  public let digest: Digest
  /// The list that names it, and the line there, from 1.
  public let path: String
  public let line: Int
  /// The signed list by its name and version; nil for the machine's own `revoked`, which has none.
  public let list: RevocationList.Identity?

  init(kind: Kind, digest: Digest, path: String, line: Int, list: RevocationList.Identity? = nil) {
    (self.kind, self.digest, self.path, self.line, self.list) = (kind, digest, path, line, list)
  }

  public var diagnostic: Diagnostic {
    Diagnostic(
      "provenance.revoked", .integrity, "the \(kind.rawValue) was revoked\(list.map { " by list \($0)" } ?? "")",
      expected: "nothing that the machine's list of revocations names",
      found: "\(kind.rawValue) \(digest), line \(line) of `\(path)`",
      why: "what was revoked counts no more, whatever else vouches for it",
      next: list == nil
        ? "get a newer version; the list is the file `revoked` among the trust anchors"
        : "get a newer version; `verity-bpf revoked list` shows the lists of this machine")
  }
}
