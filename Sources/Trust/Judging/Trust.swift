internal import KernelABI
public import Base
internal import Linux
internal import Signatures

/// Whose signatures count on this machine, and what was revoked.
///
///     DIRECTORY/SET/*.pem    certificates (or *.crt); SET is one of ``setNames``
///     DIRECTORY/revoked      what counts no more, see ``Revocations``
///     DIRECTORY/revoked.d    signed lists of the same, see ``RevocationLists``
///
/// A directory that is this project's own is read when the value is made: a file there that cannot be read or understood
/// is an error and no gap, but for one with a key that OpenSSL does not know, which is passed over and told. Those that others
/// fill are read when the first signature asks for them, because most programs have none, and reading certificates takes
/// longer than deciding about a program; what is wrong there is passed over and told (``problems``).
///
/// ``judge(_:at:)`` is the only way to ask: neither the certificates nor the list leave this module.
public struct Trust: Sendable {
  /// The sets whose certificates count for objects: words of `bpf_keyring=` (Policy/PropertyName) in small letters.
  /// The other words are of keyrings that only the kernel can speak for.
  static let objectSets = ["bpf", "user"]
  /// The set whose certificates count for root hashes.
  static let imageSet = "image"
  /// The set whose certificates count for lists of what was revoked.
  static let listSet = "revocation"
  /// The names of sets.
  public static let setNames = objectSets + [imageSet, listSet]
  /// Where the anchors of a machine are.
  public static let standardDirectory = "/etc/verity-bpf/trust"

  /// What counts no more, the machine's own list first; asked by ``judge(_:at:)`` alone.
  let revocations: [Revocations]
  /// The certificates, by what they count for.
  private let groups: AnchorGroups

  /// Whose signatures of objects count.
  var objects: AnchorGroup { groups.all.objects }
  /// Whose signatures of root hashes count.
  var images: AnchorGroup { groups.all.images }
  /// Whose signatures of fs-verity digests count: those for objects, and more.
  var files: AnchorGroup { groups.all.files }
  /// Whose signatures of policies count: nobody's until a policy store says so.
  var policies: AnchorGroup { groups.all.policies }
  /// Whose signatures of lists of what was revoked count.
  var lists: AnchorGroup { groups.all.lists }
  /// What there is where certificates are kept, and does not count.
  public var problems: [Diagnostic] { groups.all.problems }
  /// Those of the ``problems`` that were met: none as long as nobody asked for a certificate.
  public var metProblems: [Diagnostic] { groups.read?.problems ?? [] }

  /// Nobody is trusted, and nothing is revoked.
  public static let none = Trust(revocations: [], AnchorGroups(own: AnchorGroups.Certificates()))

  private init(revocations: [Revocations], _ groups: AnchorGroups) {
    self.revocations = revocations
    self.groups = groups
  }

  /// The anchors of this machine: of ``standardDirectory`` when it is there, of the VOA hierarchy (UAPI.11), and of
  /// `verity.d`.
  ///
  /// - Parameter root: what stands before every path; for tests.
  public static func standard(root: String = "") throws(TrustError) -> Trust {
    var (revocations, own) = ([Revocations](), AnchorGroups.Certificates())
    if try exists(root + standardDirectory) { (revocations, own) = try read(root + standardDirectory) }
    return Trust(revocations: revocations, AnchorGroups(own: own, elsewhereBelow: root))
  }

  /// Reads a directory of anchors, which must be there.
  ///
  /// - Throws: ``TrustError`` for a directory that is no set, a certificate that is none, a list that has a mistake.
  public init(directory: String) throws(TrustError) {
    let (revocations, own) = try Self.read(directory)
    self.init(revocations: revocations, AnchorGroups(own: own))
  }

  /// The anchors in a directory, or this machine's own when none is named.
  public static func chosen(in directory: String?) throws(TrustError) -> Trust {
    if let directory { return try Trust(directory: directory) }
    return try .standard()
  }

  /// The same list of what was revoked, with certificates of the caller's own in place of all others.
  ///
  /// - Parameters:
  ///   - pem: certificates that the caller has read and can use, for every kind of signature.
  ///   - set: what the set of them is called.
  ///   - passesOverUnsupportedKeys: whether a certificate whose key OpenSSL no longer has takes no other's word away.
  public func trusting(only pem: [UInt8], set: String, passesOverUnsupportedKeys: Bool = false) -> Trust {
    let group = AnchorGroup(pem: pem, set: set, passesOverUnsupportedKeys: passesOverUnsupportedKeys)
    let own = AnchorGroups.Certificates(objects: group, images: group, files: group, policies: group, lists: group)
    return Trust(revocations: revocations, AnchorGroups(own: own))
  }

  private static func read(_ directory: String) throws(TrustError) -> ([Revocations], AnchorGroups.Certificates) {
    let names = try names(directory)
    let own = ["revoked", RevocationLists.directoryName]
    for name in names where !own.contains(name) && !setNames.contains(name) {
      throw .unknownEntry(path: "\(directory)/\(name)")
    }
    var (revocations, certificates) = try readAnchors(directory, names)
    if names.contains(RevocationLists.directoryName) {
      revocations += try RevocationLists(directory).read(
        by: Trust(revocations: revocations, AnchorGroups(own: certificates)))
    }
    return (revocations, certificates)
  }

  /// The anchors of a directory and its list `revoked`, without what signed lists say: who may replace one of them has to be
  /// known also where it cannot be read.
  static func withoutLists(directory: String) throws(TrustError) -> Trust {
    let (revocations, own) = try readAnchors(directory, try names(directory))
    return Trust(revocations: revocations, AnchorGroups(own: own))
  }

  /// The same trust, where nothing is revoked: what takes trust away stays in force with its signer revoked.
  var withoutRevocations: Trust { Trust(revocations: [], groups) }

  /// The same trust, where these lists count as well.
  func revoking(_ lists: [Revocations]) -> Trust { Trust(revocations: revocations + lists, groups) }

  private static func readAnchors(
    _ directory: String, _ names: [String]
  ) throws(TrustError) -> ([Revocations], AnchorGroups.Certificates) {
    var revocations: [Revocations] = []
    if names.contains("revoked") {
      let path = "\(directory)/revoked"
      revocations = [try Revocations(text: try CertificateFile.bytes(of: path, limit: 1 << 24), path: path)]
    }
    var own = AnchorGroups.Certificates()
    for set in setNames where names.contains(set) {
      for file in try Self.names("\(directory)/\(set)") where file.hasSuffix(".pem") || file.hasSuffix(".crt") {
        let certificates: CertificateFile
        do throws(TrustError) {
          certificates = try CertificateFile("\(directory)/\(set)/\(file)")
        } catch {
          // A key that this OpenSSL does not have is no mistake of the directory's: it may be of use elsewhere.
          guard case .certificate(_, .unsupportedKey) = error else { throw error }
          own.problems.append(error.diagnostic)
          continue
        }
        own.problems += certificates.problems
        switch set {
        case imageSet: own.images.add(certificates, set: set)
        case listSet: own.lists.add(certificates, set: set)
        case _: own.objects.add(certificates, set: set)
        }
      }
    }
    own.files.add(own.objects)
    return (revocations, own)
  }

  private static func names(_ directory: String) throws(TrustError) -> [String] {
    do throws(SystemError) { return try Directory.names(directory) } catch { throw .system(error) }
  }

  private static func exists(_ path: String) throws(TrustError) -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.of(path: path)
      return true
    } catch {
      guard error.code == .enoent else { throw .system(error) }
      return false
    }
  }
}
