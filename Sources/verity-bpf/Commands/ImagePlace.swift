import Base
import Image
import ImageFormat
import Linux

/// Where the parts of an image are that do not lie where they are looked for: one group of options, the same for every command
/// that takes an image.
struct ImagePlace {
  static let verityData: Key<String?> = .optional(
    "--verity-data", takes: .file, "The file that holds superblock and tree. (default: the image, or NAME.verity)")
  static let hashOffset: Key<UInt64?> = .optional(
    "--hash-offset",
    "Where the dm-verity superblock is, in the file that holds it. (default: behind the file system)")
  static let rootHashSignature: Key<String?> = .optional(
    "--root-hash-signature", takes: .file,
    "The root hash's signature. (default: NAME.roothash.p7s, or the one in a disk image)")
  static let keys: [any AnyKey] = [verityData, hashOffset, rootHashSignature]

  let location: ImageLocation

  /// Everything where it is looked for.
  init() { location = ImageLocation() }

  init(_ words: Words) throws(UsageError) {
    location = ImageLocation(
      verityData: try words[Self.verityData], hashOffset: try words[Self.hashOffset],
      rootHashSignature: try words[Self.rootHashSignature])
  }

  /// Refuses what says where the parts of an image are when there is none.
  func requireImage(_ image: String?) throws(UsageError) {
    guard image == nil, location != ImageLocation() else { return }
    throw UsageError("--verity-data, --hash-offset and --root-hash-signature are about an image: name one.")
  }

  /// The files, which no result may replace.
  func add(to inputs: inout RunInputs) {
    inputs.add(location.verityData, as: "the image's tree")
    inputs.add(location.rootHashSignature, as: "the root hash's signature")
  }
}
