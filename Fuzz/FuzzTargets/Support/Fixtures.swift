import Synchronization
import BPFObject
import Base
import Linux
import Signatures

/// Files below `Fuzz` that targets themselves work with; `Fuzz/seeds` makes them.
enum Fixtures {
  /// The directory `Fuzz` of the repository that this was built in.
  static let directory: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  /// The bytes of a file below `Fuzz`; none when it is not there.
  static func bytes(_ name: String) -> [UInt8] {
    let file = try? OwnedFD.open("\(directory)/\(name)", .readOnly)
    return (try? file?.readToEnd(limit: 1 << 20)) ?? []
  }

  /// The certificate that all signatures of the corpus are by. Its key is gone: nobody can sign with it any more.
  static let signer = bytes("Signed/signer.pem")
  /// A certificate that has signed nothing.
  static let stranger = bytes("Signed/stranger.pem")
  /// A policy and a root hash that the signer has signed, and a statement about signers.
  static let policy = bytes("Signed/policy.pol")
  static let rootHash = bytes("Signed/root-hash")
  static let statement = bytes("Signed/statement.json")
  /// An object that the signer has signed, without its signatures.
  static let object = bytes("Signed/object")
  /// The policy in its message.
  static let policyMessage = bytes("Corpus/signature/policy")
  /// When the signer's certificate is valid: in 2030, as seconds since 1970.
  static let time: Int64 = 1_900_000_000

  static let trusted = Trusted(signer)
  static let strangers = Trusted(stranger)

  /// The object of the corpus that has maps of several types and CO-RE records, linked.
  static let linkedObject: LinkedObject? = {
    let object = bytes("Corpus/object/core")
    return try? BPFObject.link(bytes: object.rawSpan, objectName: "core.bpf.o", allowsExterns: true)
  }()
}

/// Certificates that are read once.
final class Trusted: Sendable {
  private let certificates: Mutex<Certificates?>
  let fingerprints: [Digest]

  init(_ pem: [UInt8]) {
    var kept: Certificates? = nil
    var found: [Digest] = []
    do throws(SignatureError) {
      let read = try Certificates(pem: pem)
      found = try read.fingerprints()
      kept = consume read
    } catch {
      // Then no signature of the corpus is taken, and the tests say so.
    }
    certificates = Mutex(kept.take())
    fingerprints = found
  }

  func use<R>(_ body: (borrowing Certificates) throws -> R) throws -> R {
    try certificates.withLock { certificates in
      switch certificates {
      case .some(let certificates): try body(certificates)
      case .none: throw BrokenPromise("the corpus has its signer's certificate")
      }
    }
  }
}
