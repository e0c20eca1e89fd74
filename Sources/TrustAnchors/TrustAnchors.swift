public import Diagnostics
internal import LinuxSys
internal import Signatures

/// Whose signatures count on this machine, and what was revoked.
///
///     DIRECTORY/SET/*.pem    certificates (or *.crt); SET is one of ``setNames``
///     DIRECTORY/revoked      what counts no more, see ``Revocations``
///
/// Everything is read when the value is made. In a directory that is this project's own, a file that cannot be read or
/// understood is an error and no gap; in those that others fill, it is passed over and told (``problems``).
public struct TrustAnchors: Sendable {
  /// The sets whose certificates count for objects: words of `bpf_keyring=` (PolicySyntax/PropertyName) in small letters.
  /// The other words are of keyrings that only the kernel can speak for.
  static let objectSets = ["bpf", "user"]
  /// The set whose certificates count for root hashes.
  static let imageSet = "image"
  /// The names of sets.
  public static let setNames = objectSets + [imageSet]
  /// Where the anchors of a machine are.
  public static let standardDirectory = "/etc/verity-bpf/trust"

  /// What counts no more.
  public let revocations: Revocations
  /// Whose signatures of objects count.
  public private(set) var objects: AnchorGroup
  /// Whose signatures of root hashes count.
  public private(set) var images: AnchorGroup
  /// Whose signatures of fs-verity digests count: those for objects, and more.
  public private(set) var files: AnchorGroup
  /// What was found where certificates are kept, and does not count.
  public private(set) var problems: [Diagnostic] = []

  /// Nobody is trusted, and nothing is revoked.
  public static let none = TrustAnchors(revocations: Revocations())

  private init(revocations: Revocations) {
    self.revocations = revocations
    (objects, images, files) = (.none, .none, .none)
  }

  /// The anchors of this machine: of ``standardDirectory`` when it is there, of the VOA hierarchy (UAPI.11), and of
  /// `verity.d`.
  ///
  /// - Parameter root: what stands before every path; for tests.
  public static func standard(root: String = "") throws(TrustError) -> TrustAnchors {
    var anchors = TrustAnchors.none
    if try exists(root + standardDirectory) { anchors = try TrustAnchors(directory: root + standardDirectory) }
    anchors.addHierarchy(root: root)
    let dropIns = VerityDropIns.read(root: root)
    for file in dropIns.certificates { anchors.images.add(file, set: VerityDropIns.set) }
    anchors.problems += dropIns.problems
    return anchors
  }

  /// Reads a directory of anchors, which must be there.
  ///
  /// - Throws: ``TrustError`` for a directory that is no set, a certificate that is none, a list that has a mistake.
  public init(directory: String) throws(TrustError) {
    let names = try Self.names(directory)
    for name in names where name != "revoked" && !Self.setNames.contains(name) {
      throw .unknownEntry(path: "\(directory)/\(name)")
    }
    var revocations = Revocations()
    if names.contains("revoked") {
      let path = "\(directory)/revoked"
      let text = try CertificateFile.bytes(of: path, limit: 1 << 24)
      do throws(Revocations.Mistake) {
        revocations = try Revocations(text: text)
      } catch {
        throw .revocations(path: path, line: error.line)
      }
    }
    self.init(revocations: revocations)
    for set in Self.setNames where names.contains(set) {
      for file in try Self.names("\(directory)/\(set)") where file.hasSuffix(".pem") || file.hasSuffix(".crt") {
        add(try CertificateFile("\(directory)/\(set)/\(file)"), set: set)
      }
    }
    files.add(objects)
  }

  private mutating func add(_ file: CertificateFile, set: String) {
    if set == Self.imageSet { images.add(file, set: set) } else { objects.add(file, set: set) }
  }

  private mutating func addHierarchy(root: String) {
    guard VerifierPlace.loadPaths.contains(where: { (try? FileStatus.of(path: root + $0)) != nil }) else { return }
    let release = ["/etc/os-release", "/usr/lib/os-release"].lazy.compactMap { path in
      try? CertificateFile.bytes(of: root + path)
    }.first
    let systems = VerifierPlace.operatingSystems(osRelease: release ?? [])
    var search = VerifierSearch(root: root)
    for place in VerifierPlace.all {
      for file in search.certificates(in: place, systems: systems) {
        switch place.use {
        case .objects:
          objects.add(file, set: place.set)
          files.add(file, set: place.set)
        case .images: images.add(file, set: place.set)
        case .files: files.add(file, set: place.set)
        }
      }
    }
    problems += search.problems
  }

  private static func names(_ directory: String) throws(TrustError) -> [String] {
    do throws(SystemError) { return try Directory.names(directory) } catch { throw .system(error) }
  }

  private static func exists(_ path: String) throws(TrustError) -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.of(path: path)
      return true
    } catch {
      guard error.errnoName == "ENOENT" else { throw .system(error) }
      return false
    }
  }
}
