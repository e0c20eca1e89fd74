internal import Base
internal import Linux

/// Looks certificates up in the VOA hierarchy (UAPI.11): the first load path that has a name wins, and a mask in any of
/// them takes the name out of all. What the specification says not to consider is not, and becomes a problem to tell.
struct VerifierSearch {
  /// What stands before every path; empty but in tests.
  let root: String
  private(set) var problems: [Diagnostic] = []

  init(root: String) { self.root = root }

  /// The certificates of a place, for all names of the operating system.
  ///
  /// - Throws: ``TrustError/unreadable(_:)`` for what cannot be looked at: it could be a mask.
  mutating func certificates(
    in place: VerifierPlace, systems: [String]
  ) throws(TrustError) -> [CertificateFile] {
    var files: [CertificateFile] = []
    for system in systems { files += try certificates(below: place.components(os: system)) }
    return files
  }

  private mutating func certificates(below components: [String]) throws(TrustError) -> [CertificateFile] {
    var masked: Set<String> = []
    var files: [(name: String, path: String)] = []
    for index in VerifierPlace.loadPaths.indices {
      guard let place = try resolve(index, components, as: .directory) else { continue }
      guard case .found(let load, let directory) = place else {
        problem(index, components, "a directory cannot be masked")
        continue
      }
      for name in try CertificateFile.names(in: path(load, directory)) ?? []
      where name.hasSuffix(VerifierPlace.suffix) {
        switch try resolve(load, directory + [name], as: .regular) {
        case .masked: masked.insert(name)
        case .found(let load, let file): files.append((name, path(load, file)))
        case nil: continue
        }
      }
    }
    var taken = masked
    var result: [CertificateFile] = []
    for file in files where taken.insert(file.name).inserted {
      do throws(TrustError) {
        let certificate = try CertificateFile(only: file.path)
        result.append(certificate)
        problems += certificate.problems
      } catch {
        problems.append(error.diagnostic)
      }
    }
    return result
  }

  private enum Resolution {
    case found(load: Int, [String])
    case masked
  }

  /// Follows the links on the way to a file or directory; nil when it is not there, or not to be considered.
  private mutating func resolve(
    _ load: Int, _ components: [String], as wanted: FileStatus.Kind
  ) throws(TrustError) -> Resolution? {
    var (load, components) = (load, components)
    let (firstLoad, first) = (load, components)
    var links = 0
    var depth = 1
    while depth <= components.count {
      let part = Array(components.prefix(depth))
      guard let kind = try CertificateFile.kind(of: path(load, part)) else {
        if links > 0 { problem(firstLoad, first, "a link leads to nothing") }
        return nil
      }
      guard kind == .symbolicLink else {
        let expected = depth == components.count ? wanted : .directory
        guard kind == expected else {
          problem(firstLoad, first, "it is a \(kind.rawValue) and no \(expected.rawValue) file")
          return nil
        }
        depth += 1
        continue
      }
      links += 1
      let target = try CertificateFile.target(of: path(load, part))
      switch VerifierLink.judge(target, loadPath: load, components: part) {
      case .mask where depth == components.count: return .masked
      case .target(let next, let parts) where links <= VerifierLink.limit:
        components = parts + components.dropFirst(depth)
        load = next
        depth = 1
      case .mask: return refuse(firstLoad, first, "a directory cannot be masked")
      case .target: return refuse(firstLoad, first, "its links lead round in a circle")
      case .refused(let reason): return refuse(firstLoad, first, reason)
      }
    }
    return .found(load: load, components)
  }

  private mutating func refuse(_ load: Int, _ components: [String], _ reason: String) -> Resolution? {
    problem(load, components, reason)
    return nil
  }

  private mutating func problem(_ load: Int, _ components: [String], _ reason: String) {
    problems.append(TrustError.notConsidered(path: path(load, components), reason: reason).diagnostic)
  }

  private func path(_ load: Int, _ components: [String]) -> String {
    "\(root)\(VerifierPlace.loadPaths[load])/\(components.joined(separator: "/"))"
  }
}
