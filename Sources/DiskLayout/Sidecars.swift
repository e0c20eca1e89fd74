/// The files beside an image, named as systemd names them (`verity_settings_load` in src/shared/dissect-image.c):
/// the image's name without `.raw`, and a suffix.
public struct Sidecars: Hashable, Sendable {
  /// The root hash in hexadecimal digits: `NAME.roothash`.
  public let rootHash: String
  /// The detached PKCS#7 signature of the root hash's digits, DER: `NAME.roothash.p7s`.
  public let signature: String
  /// The superblock and tree, when they are not in the image: `NAME.verity`.
  public let hashTree: String

  /// - Parameter path: the image's path. Only a final `.raw` after a name is taken off.
  public init(imagePath path: String) {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let stem = name.hasSuffix(".raw") && name.utf8.count > 4 ? String(path.dropLast(4)) : path
    rootHash = stem + ".roothash"
    signature = stem + ".roothash.p7s"
    hashTree = stem + ".verity"
  }
}
