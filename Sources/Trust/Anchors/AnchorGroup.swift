internal import Base
internal import Signatures
internal import Synchronization

/// The certificates that count for one kind of signature.
struct AnchorGroup: Sendable {
  /// All of them in PEM; none when ``isEmpty``.
  private var pem: [UInt8] = []
  /// The set of each certificate, by the SHA-256 of its DER form. The first set that has it wins.
  private var sets: [Digest: String] = [:]
  /// The set of every certificate that is in none of the ``sets``.
  private var commonSet: String?
  private var passesOverUnsupportedKeys = false
  /// What could not be read where others of these certificates may be, or what takes some away.
  private var failure: TrustError?
  /// The certificates ready for use, once they were asked for.
  private var parsed = Parsed()

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
    parsed = Parsed()
    for fingerprint in file.fingerprints where sets[fingerprint] == nil { sets[fingerprint] = set }
    pem += file.pem + [0x0a]
  }

  /// Adds all of another group, with the names of its sets.
  mutating func add(_ other: AnchorGroup) {
    parsed = Parsed()
    pem += other.pem
    sets.merge(other.sets) { first, _ in first }
    failure = failure ?? other.failure
  }

  /// From now on no signature is checked: it is not known who is trusted.
  mutating func fail(_ error: TrustError) {
    parsed = Parsed()
    failure = failure ?? error
  }

  /// Whether nobody is trusted, which is known for sure.
  var isEmpty: Bool { sets.isEmpty && commonSet == nil && failure == nil }

  /// The same, ready to check signatures with: read once, however many are checked.
  ///
  /// - Throws: ``Signatures/SignatureError/noCertificate(reason:)`` when ``isEmpty``, and what could not be read.
  func certificates() throws(Refusal) -> SharedCertificates {
    if let failure { throw .anchors(failure) }
    return try parsed.certificates { () throws(Refusal) in
      do throws(SignatureError) {
        let read = try Certificates(pem: pem, passesOverUnsupportedKeys: passesOverUnsupportedKeys)
        return SharedCertificates(read)
      } catch {
        throw .signature(error)
      }
    }
  }

  /// The set that a signer's certificate is in, by its fingerprint.
  func set(of signer: Digest) -> String? { sets[signer] ?? commonSet }
}

/// Certificates that several threads check signatures with.
final class SharedCertificates: Sendable {
  private nonisolated(unsafe) let certificates: Certificates  // never changed; OpenSSL locks what it keeps with them

  init(_ certificates: consuming Certificates) { unsafe self.certificates = certificates }

  /// Lends them.
  func use<R, Failure: Error>(_ body: (borrowing Certificates) throws(Failure) -> R) throws(Failure) -> R {
    try unsafe body(certificates)
  }
}

/// What becomes of a group's certificates when they are first asked for.
private final class Parsed: Sendable {
  private let known = Mutex<Result<SharedCertificates, Refusal>?>(nil)

  func certificates(
    _ read: () throws(Refusal) -> SharedCertificates
  ) throws(Refusal) -> SharedCertificates {
    let result = known.withLock { known -> Result<SharedCertificates, Refusal> in
      if let known { return known }
      let made: Result<SharedCertificates, Refusal>
      do throws(Refusal) { made = .success(try read()) } catch { made = .failure(error) }
      known = made
      return made
    }
    return try result.get()
  }
}
