/// The files beside an image, named as systemd names them (`verity_settings_load` in src/shared/dissect-image.c):
/// the image's name without `.raw`, and a suffix.
public struct Sidecars: Hashable, Sendable {
  /// The root hash in hexadecimal digits: `NAME.roothash`, `NAME.usrhash`.
  public let rootHash: String
  /// The detached PKCS#7 signature of the root hash's digits, DER: `NAME.roothash.p7s`, `NAME.usrhash.p7s`.
  public let signature: String
  /// The superblock and tree, when they are not in the image: `NAME.verity`, `NAME.usrverity`.
  public let hashTree: String
  /// The extended attribute of the image that holds the root hash in the place of a file.
  public let rootHashAttribute: String

  /// - Parameters:
  ///   - path: the image's path. Only a final `.raw` after a name is taken off.
  ///   - use: what the file system is for, which the names say.
  public init(imagePath path: String, use: PartitionTypes.Use = .root) {
    let (beginning, suffix) = (path.utf8.dropLast(4), path.utf8.suffix(4))
    let isNamed = suffix.elementsEqual(".raw".utf8) && ![nil, UInt8(ascii: "/")].contains(beginning.last)
    let stem = isNamed ? String(Substring(beginning)) : path
    let (hash, tree) =
      switch use {
      case .root: ("roothash", "verity")
      case .usr: ("usrhash", "usrverity")
      }
    rootHash = "\(stem).\(hash)"
    signature = "\(stem).\(hash).p7s"
    hashTree = "\(stem).\(tree)"
    rootHashAttribute = "user.verity.\(hash)"
  }

  /// Those of both uses, in the order in which they are looked for.
  public static func all(imagePath path: String) -> [Sidecars] {
    PartitionTypes.Use.allCases.map { Sidecars(imagePath: path, use: $0) }
  }
}
