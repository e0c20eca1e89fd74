public import ByteKit
public import Diagnostics
internal import Signatures

/// What came of checking the signature of a root hash in this process. It is never the kernel's word.
public struct RootHashVerdict: Equatable, Sendable {
  /// The file or partition that the signature was found in.
  public let place: String
  /// SHA-256 of the signer's certificate; nil unless a trust anchor for images signed exactly this root hash. It may be
  /// there with a ``refusal``, so that a signer who was revoked is found before the date is looked at.
  public let signer: Digest?
  /// The signer's name; with ``signer``.
  public let subject: String?
  /// The set of trust anchors that the certificate is in; with ``signer``.
  public let anchors: String?
  /// Why the signature does not count; nil when it does.
  public let refusal: Diagnostic?

  /// Whether somebody who is trusted signed the root hash, with a certificate that is valid and made for signing.
  public var counts: Bool { refusal == nil }

  /// Checks a signature.
  ///
  /// - Parameters:
  ///   - message: detached PKCS#7, as it was found. It has to be one DER message with one signer, over SHA-256 or more,
  ///     without attributes.
  ///   - place: where it was found, for people.
  ///   - rootHash: what has to be signed: its lower-case digits, without a line feed, as in the device-mapper's table
  ///     (drivers/md/dm-verity-verify-sig.c).
  ///   - anchors: whose signatures count.
  ///   - time: seconds since 1970-01-01T00:00:00Z, against which the certificate's dates are held.
  public static func check(
    _ message: [UInt8], from place: String, of rootHash: Digest, anchors: AnchorGroup, time: Int64
  ) -> RootHashVerdict {
    do throws(SignatureError) {
      guard !message.isEmpty else { throw .malformed(reason: "0 bytes") }
      // Asked first, so that a machine without anchors need not open OpenSSL.
      guard !anchors.isEmpty else { throw .untrustedSigner }
      let verified = try SignedMessage.verify(
        message, content: Array(rootHash.hex.utf8), trusted: try anchors.certificates(), allowsAttributes: false)
      return RootHashVerdict(
        place: place, signer: verified.signer, subject: verified.certificate.subject,
        anchors: anchors.set(of: verified.signer), refusal: verified.certificate.refusal(at: time)?.diagnostic)
    } catch {
      return RootHashVerdict(place: place, signer: nil, subject: nil, anchors: nil, refusal: error.diagnostic)
    }
  }
}
