public import Base
public import Signatures

/// What ``Trust/judge(_:at:)`` says. Every caller handles each of these cases.
public enum Verdict: Equatable, Sendable {
  /// A signer who is trusted for this kind of subject signed exactly this, with a certificate that is valid and made for signing.
  case trusted(Voucher)
  /// The same, and the certificate is not valid at the time that was named.
  case expired(Voucher)
  /// The same, and the certificate is made for something else than signing code.
  case wrongPurpose(Voucher)
  /// It has no signature.
  case unsigned
  /// It has one, and there is no certificate at all that would count for such a thing.
  case nobodyTrusted
  /// It has one that nobody who is trusted made.
  case untrusted(Refusal)
  /// It has one that is not of this, or in a form that is refused.
  case malformed(Refusal)
  /// The signature could not be checked: OpenSSL failed, or certificates that count cannot be read.
  case unchecked(Refusal)
  /// It, what is signed of it, or who signed it was revoked, whatever else is to be said of it.
  case revoked(Revocation)
}

/// Who vouches, and for what.
public struct Voucher: Equatable, Sendable {
  /// SHA-256 of the signer's certificate in DER.
  public let signer: Digest
  /// The signer's name as of RFC 2253, for people.
  public let subject: String
  /// The set of trust anchors that the certificate is in.
  public let anchors: String?
  /// What of an object is signed, and how; nil for other subjects.
  public let object: VerifiedSignature?
  /// The text of a policy or of a list, as it was signed; nil for other subjects.
  public let policy: [UInt8]?
}

/// Why a signature does not count.
public enum Refusal: Diagnosable, Equatable, Sendable {
  /// The PKCS#7 message was refused.
  case signature(SignatureError)
  /// The object is not as it was signed.
  case object(ObjectSignatureError)
  /// It is not known who is trusted, because something cannot be read where certificates are kept.
  case anchors(TrustError)

  public var diagnostic: Diagnostic {
    switch self {
    case .signature(let error): error.diagnostic
    case .object(let error): error.diagnostic
    case .anchors(let error): error.diagnostic
    }
  }
}

extension Verdict {
  /// What a message that was refused is worth.
  init(_ error: SignatureError) {
    switch error {
    case .untrustedSigner, .unsupportedKey, .noCertificate, .damagedBlock, .expired, .purpose:
      self = .untrusted(.signature(error))
    case .openSSL, .noPrivateKey, .passphrase, .configuration, .keyKind, .keyMismatch:
      self = .unchecked(.signature(error))
    case .malformed, .signerCount, .trailingBytes, .notDER, .lengthOutside, .attributes, .contentPlacement, .weakDigest,
      .badSignature:
      self = .malformed(.signature(error))
    }
  }

  /// What an object is worth whose signature was refused.
  init(_ error: ObjectSignatureError) {
    switch error {
    case .unsigned:
      self = .unsigned
    case .signature(let error):
      self.init(error)
    case .hashing:
      self = .unchecked(.object(error))
    case .signedTwice, .section, .trailer, .manifest, .changed, .missing, .notCovered, .kernelSignature, .object:
      self = .malformed(.object(error))
    }
  }
}
