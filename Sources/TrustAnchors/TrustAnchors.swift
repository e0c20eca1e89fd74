public import ByteKit
internal import LinuxSys
public import Signatures

/// Whose signatures of objects count on this machine, and what was revoked.
///
///     DIRECTORY/SET/*.pem    certificates (or *.crt); SET is bpf or user: the word of `bpf_keyring=` in small letters
///     DIRECTORY/revoked      what counts no more, see ``Revocations``
///
/// Everything is read when the value is made; a file that cannot be read or understood is an error and no gap.
public struct TrustAnchors: Sendable {
  /// The names of sets, of the words of `bpf_keyring=` (PolicySyntax/PropertyName) in small letters. The other words
  /// are of keyrings that only the kernel can speak for.
  public static let setNames = ["bpf", "user"]
  /// Where the anchors of a machine are.
  public static let standardDirectory = "/etc/verity-bpf/trust"

  /// What counts no more.
  public let revocations: Revocations
  /// All certificates that count, in PEM; none when ``isEmpty``.
  public let pem: [UInt8]
  /// The set of each certificate, by the SHA-256 of its DER form. The first set in ``setNames`` wins.
  private let sets: [Digest: String]

  /// Nobody is trusted, and nothing is revoked.
  public static let none = TrustAnchors(pem: [], sets: [:], revocations: Revocations())

  private init(pem: [UInt8], sets: [Digest: String], revocations: Revocations) {
    self.pem = pem
    self.sets = sets
    self.revocations = revocations
  }

  /// The anchors of this machine; ``none`` when it has no directory of them.
  public static func standard() throws(TrustError) -> TrustAnchors {
    do throws(SystemError) {
      _ = try FileStatus.of(path: standardDirectory)
    } catch {
      guard error.errnoName == "ENOENT" else { throw .system(error) }
      return .none
    }
    return try TrustAnchors(directory: standardDirectory)
  }

  /// Reads a directory of anchors, which must be there.
  ///
  /// - Throws: ``TrustError`` for a directory that is no set, a certificate that is none, a list that has a mistake.
  public init(directory: String) throws(TrustError) {
    var pem: [UInt8] = []
    var sets: [Digest: String] = [:]
    var revocations = Revocations()
    let names = try Self.system { () throws(SystemError) in try Directory.names(directory) }
    for name in names where name != "revoked" && !Self.setNames.contains(name) {
      throw .unknownEntry(path: "\(directory)/\(name)")
    }
    for set in Self.setNames where names.contains(set) {
      let files = try Self.system { () throws(SystemError) in try Directory.names("\(directory)/\(set)") }
      for file in files where file.hasSuffix(".pem") || file.hasSuffix(".crt") {
        let path = "\(directory)/\(set)/\(file)"
        let bytes = try Self.read(path)
        do throws(SignatureError) {
          for fingerprint in try Certificates(pem: bytes).fingerprints() where sets[fingerprint] == nil {
            sets[fingerprint] = set
          }
        } catch {
          throw .certificate(path: path, error)
        }
        pem += bytes + [0x0a]
      }
    }
    if names.contains("revoked") {
      let path = "\(directory)/revoked"
      let text = try Self.read(path)
      do throws(Revocations.Mistake) {
        revocations = try Revocations(text: text)
      } catch {
        throw .revocations(path: path, line: error.line)
      }
    }
    self.init(pem: pem, sets: sets, revocations: revocations)
  }

  /// Whether anybody is trusted at all.
  public var isEmpty: Bool { sets.isEmpty }

  /// The same, ready to check signatures with.
  ///
  /// - Throws: ``Signatures/SignatureError/noCertificate(reason:)`` when ``isEmpty``.
  public func certificates() throws(SignatureError) -> Certificates { try Certificates(pem: pem) }

  /// The set that a signer's certificate is in, by its fingerprint.
  public func set(of signer: Digest) -> String? { sets[signer] }

  private static func read(_ path: String) throws(TrustError) -> [UInt8] {
    try system { () throws(SystemError) in
      try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 24) ?? []
    }
  }

  private static func system<Value>(_ body: () throws(SystemError) -> Value) throws(TrustError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }
}
