public import ByteKit
public import Signatures

/// The certificates that count for one kind of signature.
public struct AnchorGroup: Sendable {
  /// All of them in PEM; none when ``isEmpty``.
  public private(set) var pem: [UInt8] = []
  /// The set of each certificate, by the SHA-256 of its DER form. The first set that has it wins.
  private var sets: [Digest: String] = [:]

  /// Nobody is trusted.
  public static let none = AnchorGroup()

  init() {}

  /// The certificates of a PEM text, all in one set.
  ///
  /// - Throws: ``Signatures/SignatureError/noCertificate(reason:)`` when there is none.
  public init(pem: [UInt8], set: String) throws(SignatureError) {
    self.pem = pem
    for fingerprint in try Certificates(pem: pem).fingerprints() { sets[fingerprint] = set }
  }

  /// Adds the certificates of a PEM text.
  mutating func add(_ file: CertificateFile, set: String) {
    for fingerprint in file.fingerprints where sets[fingerprint] == nil { sets[fingerprint] = set }
    pem += file.pem + [0x0a]
  }

  /// Adds all of another group, with the names of its sets.
  mutating func add(_ other: AnchorGroup) {
    pem += other.pem
    sets.merge(other.sets) { first, _ in first }
  }

  /// Whether nobody is trusted.
  public var isEmpty: Bool { sets.isEmpty }

  /// The same, ready to check signatures with.
  ///
  /// - Throws: ``Signatures/SignatureError/noCertificate(reason:)`` when ``isEmpty``.
  public func certificates() throws(SignatureError) -> Certificates { try Certificates(pem: pem) }

  /// The set that a signer's certificate is in, by its fingerprint.
  public func set(of signer: Digest) -> String? { sets[signer] }
}
