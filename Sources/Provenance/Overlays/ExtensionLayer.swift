internal import Base

/// A layer of an overlay that systemd-sysext or systemd-confext has merged, by the name that systemd gives it.
///
/// systemd mounts what it merges in a mount namespace of its own, which is gone afterwards; the names of the layers are all
/// that is left of it. They are names of images (systemd-sysext(8)).
struct ExtensionLayer: Equatable {
  /// Which of the two merged it.
  enum Kind: String, CaseIterable {
    case sysext, confext

    /// Where images of it lie, in the order in which one takes the place of another.
    var directories: [String] {
      switch self {
      case .sysext: ["/etc/extensions", "/run/extensions", "/var/lib/extensions"]
      case .confext: ["/run/confexts", "/var/lib/confexts", "/usr/local/lib/confexts", "/usr/lib/confexts"]
      }
    }
  }

  let kind: Kind
  /// The extension's name.
  let name: String
  /// The directory of the image that is the layer, without slashes around it.
  let directory: String

  /// Reads `/run/systemd/sysext/extensions/NAME/usr`; nil for any other name.
  init?(_ layer: String) {
    let parts = layer.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    guard let kind = Self.kind(parts), parts.count > 5, parts[3] == "extensions" else { return nil }
    // It is looked for below the directories, and nowhere else.
    guard parts[4] != ".", parts[4] != ".." else { return nil }
    self.kind = kind
    name = parts[4]
    directory = Array(parts[5...]).separated(by: "/")
  }

  /// Whether a layer holds nothing but what systemd notes about what it has merged.
  static func isMeta(_ layer: String) -> Bool {
    let parts = layer.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    return kind(parts) != nil && parts.count > 3 && parts[3] == "meta"
  }

  private static func kind(_ parts: [String]) -> Kind? {
    guard parts.count > 3, parts[0] == "run", parts[1] == "systemd" else { return nil }
    return Kind.allCases.first { $0.rawValue == parts[2] }
  }

  /// Where its image may lie, in the order in which one takes the place of another.
  var images: [String] { kind.directories.map { "\($0)/\(name).raw" } }
  /// Where directories of its versions may lie.
  var versions: [String] { kind.directories.map { "\($0)/\(name).raw.v" } }
  /// Where it may lie as a directory instead.
  var trees: [String] { kind.directories.map { "\($0)/\(name)" } }
}
