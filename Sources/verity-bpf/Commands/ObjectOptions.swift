import ArgumentParser
import TrustAnchors

/// How a command is told which objects are meant: by descriptor, or by image and path.
struct ObjectOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("A descriptor of the object, opened on a mounted image.", valueName: "n"))
  var fd: [Int32] = []

  @Option(name: .long, help: ArgumentHelp("An image file; nothing is mounted.", valueName: "image"))
  var image: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The object's path inside the image; without --image an ordinary file, for which only its own signature can speak.",
      valueName: "path"))
  var object: [String] = []

  func validate() throws {
    if !fd.isEmpty {
      guard image == nil, object.isEmpty else {
        throw ValidationError("Give --fd, or --image with --object, not both.")
      }
      guard fd.allSatisfy({ $0 >= 0 }) else { throw ValidationError("--fd takes a descriptor number, 0 or more.") }
    } else {
      guard !object.isEmpty else {
        throw ValidationError("Name the object: --fd N, or --image IMAGE --object PATH, or --object FILE.")
      }
    }
  }

  /// What the user named.
  var choice: ObjectChoice { ObjectChoice(fd: fd, image: image, object: object) }
}

/// Whose signatures count.
struct TrustOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The directory of trust anchors: SET/*.pem, and the list `revoked`. (default: /etc/verity-bpf/trust, VOA, verity.d)",
      valueName: "dir"))
  var trustAnchors: String?

  /// The anchors in that directory, or this machine's.
  func anchors() throws -> TrustAnchors { try .chosen(in: trustAnchors) }
}

/// How a command is told which root hash a user trusts beforehand.
struct RootHashOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("The root hash the image must have, in hexadecimal digits.", valueName: "hash"))
  var rootHash: String?

  @Option(name: .long, help: ArgumentHelp("A file that holds the root hash the image must have.", valueName: "file"))
  var rootHashFile: String?

  func validate() throws {
    if rootHash != nil, rootHashFile != nil {
      throw ValidationError("Give --root-hash or --root-hash-file, not both.")
    }
    if let rootHash, !TrustedRootHash.isRootHash(rootHash) {
      throw ValidationError("--root-hash needs 64 (sha256) or 128 (sha512) hexadecimal digits.")
    }
  }

  /// What the user named.
  var trusted: TrustedRootHash { TrustedRootHash(hash: rootHash, file: rootHashFile) }
}
