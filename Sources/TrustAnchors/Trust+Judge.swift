internal import ByteKit
internal import ObjectSignature

/// What counts no more, whatever vouches for it: a text of lines `signer DIGEST`, `object DIGEST` and `root-hash DIGEST`,
/// with digests as `sha256:HEX`; `#` begins a comment.
///
/// The list can be made anywhere in this module and asked in this file alone, where ``Trust/judge(_:at:)`` is.
struct Revocations: Sendable {
  /// Nothing is revoked.
  static let none = Revocations()

  private let path: String
  /// The line of each entry.
  private var lines: [Revocation.Kind: [Digest: Int]] = [:]

  private init() { path = "" }

  /// Reads the text. A line that is not understood could be the one that matters, so it is an error.
  ///
  /// - Parameter path: where the text is from.
  init(text: [UInt8], path: String) throws(TrustError) {
    self.path = path
    for (index, bytes) in text.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let mistake = TrustError.revocations(path: path, line: index + 1)
      guard let line = String(validating: bytes, as: UTF8.self) else { throw mistake }
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let first = words.first else { continue }
      guard words.count == 2, let kind = Revocation.Kind(rawValue: String(first)), let digest = Digest(String(words[1]))
      else { throw mistake }
      lines[kind, default: [:]][digest] = index + 1
    }
  }

  fileprivate func entry(_ kind: Revocation.Kind, _ digest: Digest?) -> Revocation? {
    guard let digest, let line = lines[kind]?[digest] else { return nil }
    return Revocation(kind: kind, digest: digest, path: path, line: line)
  }
}

extension Trust {
  /// Says whether something is trusted, and by whom: the only place that does. What was revoked comes before everything
  /// else.
  ///
  /// - Parameter time: seconds since 1970-01-01T00:00:00Z, against which the dates of certificates are held.
  public func judge(_ subject: Subject, at time: Int64) -> Verdict {
    if let revocation = revocation(of: subject) { return .revoked(revocation) }
    let verdict = checkSignature(of: subject, at: time)
    switch verdict {
    case .trusted(let voucher), .expired(let voucher), .wrongPurpose(let voucher):
      // A signer who was revoked is refused as that, also with a certificate that has run out.
      return revocation(of: voucher).map { .revoked($0) } ?? verdict
    case .unsigned, .nobodyTrusted, .untrusted, .malformed, .unchecked, .revoked:
      return verdict
    }
  }

  /// The entry that names the subject itself.
  private func revocation(of subject: Subject) -> Revocation? {
    switch subject {
    case .rootHash(let rootHash, signature: _): revocations.entry(.rootHash, rootHash)
    case .object(_, let digest): revocations.entry(.object, digest)
    // These have no entries of their own: a file is revoked as an object, a policy by its signer.
    case .file, .policy: nil
    }
  }

  /// The entry that names who vouches, or what they vouch for.
  private func revocation(of voucher: Voucher) -> Revocation? {
    revocations.entry(.object, voucher.object?.content) ?? revocations.entry(.signer, voucher.signer)
  }
}
