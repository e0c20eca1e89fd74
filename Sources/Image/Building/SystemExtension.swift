internal import ImageFormat

/// A system extension (systemd-sysext(8), UAPI.4): its files lie below /usr/lib/NAME, and a file says which systems it is for.
public struct SystemExtension: Equatable, Sendable {
  /// As the extension and its image are called.
  public let name: String

  /// The directory of the files that say what an extension is for, below lib.
  private static let releases = "extension-release.d"

  /// - Parameter name: as `Manifest.isAcceptableName` has it; nil for others.
  public init?(_ name: String) {
    guard Manifest.isAcceptableName(name), name != Self.releases else { return nil }
    self.name = name
  }

  /// Where in the image the directory that is packed goes, with a slash at its end.
  ///
  /// - Parameter use: what the file system is for: that of a usr partition is /usr itself.
  func directory(_ use: PartitionTypes.Use) -> String { "\(Self.lib(use))/\(name)/" }

  /// The path of the file that says which systems the extension is for.
  func releasePath(_ use: PartitionTypes.Use) -> String {
    "\(Self.lib(use))/\(Self.releases)/extension-release.\(name)"
  }

  /// Its contents: BPF objects depend on no release of a distribution.
  static let release = "ID=_any\n"

  private static func lib(_ use: PartitionTypes.Use) -> String {
    switch use {
    case .root: "usr/lib"
    case .usr: "lib"
    }
  }
}
