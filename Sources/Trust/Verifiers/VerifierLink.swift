/// Where a symbolic link in the VOA hierarchy may lead (UAPI.11, "Symlinking" and "Masking").
enum VerifierLink: Equatable {
  /// To a place below a load path.
  case target(loadPath: Int, components: [String])
  /// To /dev/null: the verifier does not count.
  case mask
  /// Nowhere that counts.
  case refused(String)

  /// Links in a row; a loop never ends.
  static let limit = 16

  /// Judges a link by what it says.
  ///
  /// - Parameters:
  ///   - target: what the link holds.
  ///   - loadPath: the index in ``VerifierPlace/loadPaths`` of the one the link is below.
  ///   - components: the link's own path below it, its name last.
  static func judge(_ target: String, loadPath: Int, components: [String]) -> VerifierLink {
    if target == "/dev/null" { return .mask }
    let paths = VerifierPlace.loadPaths
    guard paths.indices.contains(loadPath), let name = components.last else { return .refused("it has no name") }
    guard paths[loadPath] != VerifierPlace.ephemeralPath else { return .refused("links in /run/voa do not count") }
    let base = target.hasPrefix("/") ? "" : "\(paths[loadPath])/\(components.dropLast().joined(separator: "/"))/"
    let path = normalized(base + target)
    for index in loadPath..<paths.count {
      let root = paths[index].split(separator: "/").map(String.init)
      guard path.starts(with: root), path.count > root.count else { continue }
      guard path.last == name else { return .refused("it leads to another name, `\(path.last ?? "")`") }
      return .target(loadPath: index, components: Array(path.dropFirst(root.count)))
    }
    return .refused("it leads outside, to `\(target)`, or to a load path that comes before")
  }

  /// The parts of an absolute path without `.` and `..`.
  private static func normalized(_ path: String) -> [String] {
    var parts: [String] = []
    for part in path.split(separator: "/") {
      switch part {
      case ".": continue
      case "..": _ = parts.popLast()
      default: parts.append(String(part))
      }
    }
    return parts
  }
}
