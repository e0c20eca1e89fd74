internal import Base
internal import Signatures

/// The certificates that count for one kind of signature.
struct AnchorGroup: Sendable {
  /// All of them in PEM; none when ``isEmpty``.
  private var pem: [UInt8] = []
  /// The set of each certificate, by the SHA-256 of its DER form. The first set that has it wins.
  private var sets: [Digest: String] = [:]
  /// The set of every certificate that is in none of the ``sets``.
  private var commonSet: String?
  private var passesOverUnsupportedKeys = false

  /// Nobody is trusted.
  static let none = AnchorGroup()

  init() {}

  /// The certificates of a PEM text, all in one set; read when the first signature is checked.
  init(pem: [UInt8], set: String, passesOverUnsupportedKeys: Bool) {
    self.pem = pem
    commonSet = set
    self.passesOverUnsupportedKeys = passesOverUnsupportedKeys
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
  var isEmpty: Bool { sets.isEmpty && commonSet == nil }

  /// The same, ready to check signatures with.
  ///
  /// - Throws: ``Signatures/SignatureError/noCertificate(reason:)`` when ``isEmpty``.
  func certificates() throws(SignatureError) -> Certificates {
    try Certificates(pem: pem, passesOverUnsupportedKeys: passesOverUnsupportedKeys)
  }

  /// The set that a signer's certificate is in, by its fingerprint.
  func set(of signer: Digest) -> String? { sets[signer] ?? commonSet }
}
