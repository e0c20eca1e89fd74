internal import Base
internal import Verity
internal import Signatures

/// Checking signatures against the certificates that count. What was revoked is not asked here, so only
/// ``Trust/judge(_:at:)`` may take the answer for a verdict.
extension Trust {
  func checkSignature(of subject: Subject, at time: Int64) -> Verdict {
    switch subject {
    case .rootHash(_, signature: nil):
      .unsigned
    case .rootHash(let rootHash, let message?):
      check(message, content: Array(rootHash.hex.utf8), by: images, allowsAttributes: false, at: time)
    case .file(let digest, let message):
      check(message, content: VerityDescriptor.signedBytes(of: digest), by: files, allowsAttributes: true, at: time)
    case .object(let bytes, digest: _):
      object(bytes, at: time)
    case .signer(let fingerprint, let facts):
      Self.verdict(
        on: facts, at: time,
        Voucher(signer: fingerprint, subject: facts.subject, anchors: nil, object: nil, policy: nil))
    case .revocations(let message):
      check(message, content: nil, by: lists, allowsAttributes: true, at: time)
    case .policy(let message):
      check(message, content: nil, by: policies, allowsAttributes: true, at: time)
    }
  }

  /// Checks a PKCS#7 message.
  ///
  /// - Parameter content: what a detached message is over; nil for a message with its content inside, which is then the
  ///   text of a policy.
  private func check(
    _ message: [UInt8], content: [UInt8]?, by anchors: @autoclosure () -> AnchorGroup, allowsAttributes: Bool,
    at time: Int64
  ) -> Verdict {
    // Asked before the anchors, which need not be read for it.
    guard !message.isEmpty else { return .malformed(.signature(.malformed(reason: "0 bytes"))) }
    let anchors = anchors()
    // Nor need OpenSSL be opened on a machine without anchors.
    guard !anchors.isEmpty else { return .nobodyTrusted }
    let trusted: SharedCertificates
    do throws(Refusal) { trusted = try anchors.certificates() } catch { return .unchecked(error) }
    do throws(SignatureError) {
      let verified = try trusted.use { (certificates) throws(SignatureError) in
        try SignedMessage.verify(message, content: content, trusted: certificates, allowsAttributes: allowsAttributes)
      }
      return Self.verdict(
        on: verified.certificate, at: time,
        Voucher(
          signer: verified.signer, subject: verified.certificate.subject, anchors: anchors.set(of: verified.signer),
          object: nil, policy: content == nil ? verified.content : nil))
    } catch {
      return Verdict(error)
    }
  }

  private func object(_ bytes: [UInt8], at time: Int64) -> Verdict {
    guard ObjectVerifier.isSigned(bytes.rawSpan) else { return .unsigned }
    let anchors = objects
    guard !anchors.isEmpty else { return .nobodyTrusted }
    let trusted: SharedCertificates
    do throws(Refusal) { trusted = try anchors.certificates() } catch { return .unchecked(error) }
    do throws(ObjectSignatureError) {
      let verified = try trusted.use { (certificates) throws(ObjectSignatureError) in
        try ObjectVerifier.verify(bytes.rawSpan, trusted: certificates)
      }
      return Self.verdict(
        on: verified.certificate, at: time,
        Voucher(
          signer: verified.signer, subject: verified.certificate.subject, anchors: anchors.set(of: verified.signer),
          object: verified, policy: nil))
    } catch {
      return Verdict(error)
    }
  }

  private static func verdict(on certificate: CertificateFacts, at time: Int64, _ voucher: Voucher) -> Verdict {
    if !certificate.isForSigning { return .wrongPurpose(voucher) }
    return certificate.isValid(at: time) ? .trusted(voucher) : .expired(voucher)
  }
}
