public import ByteKit
internal import Diagnostics
internal import ObjectSignature
internal import Signatures
internal import TrustAnchors

/// What came of checking an object's explicit signature in this process.
public struct SignatureFacts: Equatable, Sendable {
  /// In the words of `bpf_signature=`.
  public enum Verdict: String, Sendable, CaseIterable {
    /// There is no signature.
    case unsigned = "UNSIGNED"
    /// The signature holds, by a certificate that is trusted and valid now.
    case ok = "OK"
    /// The signature holds, by a trusted certificate that is not valid now.
    case expired = "EXPIRED"
    /// There is a signature, and it is not one of this object.
    case badSignature = "BADSIG"
    /// Nobody trusted signed it, or a certificate that is made for something else.
    case unknownKey = "UNKNOWNKEY"
    /// It could not be checked.
    case fault = "FAULT"
  }

  public let verdict: Verdict
  /// SHA-256 of the signer's certificate; nil unless the signature holds, whatever is said of the certificate.
  public let signer: Digest?
  /// The signer's name; nil unless the signature holds.
  public let subject: String?
  /// The set of trust anchors that the certificate is in (`bpf_keyring=`, in small letters).
  public let keyring: String?
  /// How the signature is put to the object.
  public let format: String?
  /// SHA-256 of what is signed; nil unless the signature holds. It stays the same whatever is stripped off the file.
  public let content: Digest?
  /// The code of the refusal, for a signature that does not hold or count.
  public let refusal: String?

  /// Checks the signature of an object.
  ///
  /// - Parameter time: seconds since 1970-01-01T00:00:00Z, against which the certificate's dates are held.
  static func check(_ object: RawSpan, trust: TrustAnchors, time: Int64) -> SignatureFacts {
    guard ObjectVerifier.isSigned(object) else { return SignatureFacts(.unsigned) }
    guard !trust.objects.isEmpty else { return SignatureFacts(.unknownKey, refusal: "signature.untrusted") }
    let trusted: Certificates
    do throws(SignatureError) {
      trusted = try trust.objects.certificates()
    } catch {
      return SignatureFacts(.fault, refusal: error.diagnostic.code)
    }
    do throws(ObjectSignatureError) {
      return SignatureFacts(try ObjectVerifier.verify(object, trusted: trusted), trust: trust, time: time)
    } catch {
      let verdict: Verdict =
        switch error {
        case .signature(.untrustedSigner), .signature(.unsupportedKey), .signature(.noCertificate): .unknownKey
        case .signature(.openSSL), .hashing: .fault
        default: .badSignature
        }
      return SignatureFacts(verdict, refusal: error.diagnostic.code)
    }
  }

  private init(_ verdict: Verdict, refusal: String? = nil) {
    self.verdict = verdict
    self.refusal = refusal
    (signer, subject, keyring, format, content) = (nil, nil, nil, nil, nil)
  }

  private init(_ verified: VerifiedSignature, trust: TrustAnchors, time: Int64) {
    let certificate = verified.certificate
    verdict = !certificate.isForSigning ? .unknownKey : certificate.isValid(at: time) ? .ok : .expired
    signer = verified.signer
    subject = verified.certificate.subject
    keyring = trust.objects.set(of: verified.signer)
    format = verified.format.rawValue
    content = verified.content
    refusal = certificate.refusal(at: time)?.diagnostic.code
  }
}
