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
    let (beginning, suffix) = (path.utf8.dropLast(4), path.utf8.suffix(4))
    let isNamed = suffix.elementsEqual(".raw".utf8) && ![nil, UInt8(ascii: "/")].contains(beginning.last)
    let stem = isNamed ? String(Substring(beginning)) : path
    rootHash = stem + ".roothash"
    signature = stem + ".roothash.p7s"
    hashTree = stem + ".verity"
  }
}
