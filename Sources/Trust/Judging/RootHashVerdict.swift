public import Base
internal import Signatures

/// What the signature of a root hash is worth that came with an image. It is never the kernel's word.
public struct RootHashVerdict: Equatable, Sendable {
  /// The file or partition that the signature was found in.
  public let place: String
  /// SHA-256 of the signer's certificate; nil unless a trust anchor for images signed exactly this root hash. It may be
  /// there with a ``refusal``: for a certificate that is out of date or made for something else.
  public let signer: Digest?
  /// The signer's name; with ``signer``.
  public let subject: String?
  /// The set of trust anchors that the certificate is in; with ``signer``.
  public let anchors: String?
  /// Why the signature does not count; nil when it does.
  public let refusal: Diagnostic?

  /// Whether a trusted signer signed the root hash, with a certificate that is valid and made for signing.
  public var counts: Bool { refusal == nil }

  init(_ place: String, _ voucher: Voucher? = nil, refusal: (any Diagnosable)? = nil) {
    self.place = place
    (signer, subject, anchors) = (voucher?.signer, voucher?.subject, voucher?.anchors)
    self.refusal = refusal?.diagnostic
  }

  /// Judges a root hash and the signature that came with it.
  ///
  /// - Parameters:
  ///   - message: see ``Subject/rootHash(_:signature:)``; nil when none came with it.
  ///   - place: where it was found, for people.
  ///   - time: seconds since 1970-01-01T00:00:00Z, against which the certificate's dates are held.
  /// - Returns: nil when there is no signature.
  /// - Throws: the entry that says that the root hash or its signer was revoked.
  public static func judge(
    _ rootHash: Digest, signature message: [UInt8]?, from place: String, trust: Trust, at time: Int64
  ) throws(Revocation) -> RootHashVerdict? {
    switch trust.judge(.rootHash(rootHash, signature: message), at: time) {
    case .trusted(let voucher): RootHashVerdict(place, voucher)
    case .expired(let voucher):
      RootHashVerdict(place, voucher, refusal: SignatureError.expired(subject: voucher.subject))
    case .wrongPurpose(let voucher):
      RootHashVerdict(place, voucher, refusal: SignatureError.purpose(subject: voucher.subject))
    case .unsigned: nil
    case .nobodyTrusted: RootHashVerdict(place, refusal: SignatureError.untrustedSigner)
    case .untrusted(let refusal), .malformed(let refusal), .unchecked(let refusal):
      RootHashVerdict(place, refusal: refusal)
    case .revoked(let revocation): throw revocation
    }
  }
}
