internal import Base
internal import Linux
internal import Synchronization

/// The certificates of a ``Trust``; those in directories that others fill are read when they are first asked for.
final class AnchorGroups: Sendable {
  struct Certificates: Sendable {
    var objects = AnchorGroup.none
    var images = AnchorGroup.none
    var files = AnchorGroup.none
    var policies = AnchorGroup.none
    var lists = AnchorGroup.none
    /// What was found where certificates are kept, and does not count.
    var problems: [Diagnostic] = []
  }

  private let own: Certificates
  /// What stands before every path of others' directories; nil when they do not count.
  private let root: String?
  private let known = Mutex<Certificates?>(nil)

  init(own: Certificates, elsewhereBelow root: String? = nil) {
    self.own = own
    self.root = root
  }

  /// All of them. Others' directories are read the first time.
  var all: Certificates {
    guard let root else { return own }
    return known.withLock { known in
      if let known { return known }
      let all = Self.adding(to: own, root: root)
      known = all
      return all
    }
  }

  /// What was read so far.
  var read: Certificates? { root == nil ? own : known.withLock { $0 } }

  /// Adds those of the VOA hierarchy (UAPI.11) and of `verity.d`.
  private static func adding(to own: Certificates, root: String) -> Certificates {
    var all = own
    do throws(TrustError) {
      try all.addHierarchy(root: root)
      let dropIns = try VerityDropIns.read(root: root)
      for file in dropIns.certificates { all.images.add(file, set: VerityDropIns.set) }
      all.problems += dropIns.problems
    } catch {
      all.fail(error)
    }
    return all
  }
}

extension AnchorGroups.Certificates {
  /// No signature is checked by any of them: what could not be read may have been of each kind, or a mask.
  fileprivate mutating func fail(_ error: TrustError) {
    problems.append(error.diagnostic)
    objects.fail(error)
    images.fail(error)
    files.fail(error)
  }

  fileprivate mutating func addHierarchy(root: String) throws(TrustError) {
    var isThere = false
    for path in VerifierPlace.loadPaths where try CertificateFile.kind(of: root + path) != nil { isThere = true }
    guard isThere else { return }
    let systems = VerifierPlace.operatingSystems(osRelease: try Self.osRelease(root: root))
    var search = VerifierSearch(root: root)
    for place in VerifierPlace.all {
      for file in try search.certificates(in: place, systems: systems) {
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

  /// The first os-release(5) that there is; empty when there is none.
  private static func osRelease(root: String) throws(TrustError) -> [UInt8] {
    for path in ["/etc/os-release", "/usr/lib/os-release"] where try CertificateFile.kind(of: root + path) != nil {
      return try CertificateFile.bytes(of: root + path)
    }
    return []
  }
}
