public import Base
internal import Signatures
internal import Trust

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

  /// Judges an object by its signature.
  ///
  /// - Parameters:
  ///   - digest: SHA-256 of the bytes.
  ///   - time: seconds since 1970-01-01T00:00:00Z, against which the certificate's dates are held.
  static func judge(
    _ bytes: [UInt8], digest: Digest, trust: Trust, at time: Int64
  ) throws(ProvenanceError) -> SignatureFacts {
    switch trust.judge(.object(bytes, digest: digest), at: time) {
    case .trusted(let voucher): SignatureFacts(.ok, voucher)
    case .expired(let voucher):
      SignatureFacts(.expired, voucher, refusal: SignatureError.expired(subject: voucher.subject))
    case .wrongPurpose(let voucher):
      SignatureFacts(.unknownKey, voucher, refusal: SignatureError.purpose(subject: voucher.subject))
    case .unsigned: SignatureFacts(.unsigned)
    case .nobodyTrusted: SignatureFacts(.unknownKey, refusal: SignatureError.untrustedSigner)
    case .untrusted(let refusal): SignatureFacts(.unknownKey, refusal: refusal)
    case .malformed(let refusal): SignatureFacts(.badSignature, refusal: refusal)
    case .unchecked(let refusal): SignatureFacts(.fault, refusal: refusal)
    case .revoked(let revocation): throw .revoked(revocation)
    }
  }
}

extension SignatureFacts {
  private init(_ verdict: Verdict, _ voucher: Voucher? = nil, refusal: (any Diagnosable)? = nil) {
    self.init(
      verdict: verdict, signer: voucher?.signer, subject: voucher?.subject, keyring: voucher?.anchors,
      format: voucher?.object?.format.rawValue, content: voucher?.object?.content, refusal: refusal?.diagnostic.code)
  }
}
