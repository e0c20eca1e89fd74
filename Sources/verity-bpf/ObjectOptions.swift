import Admission
import ArgumentParser
import ByteKit
import Diagnostics
import DiskLayout
import LinuxSys
import Provenance
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

/// The objects a user named: descriptors, or paths inside an image.
struct ObjectChoice {
  var fd: [Int32] = []
  var image: String?
  var object: [String] = []

  /// How many there are: one or more.
  var count: Int { max(fd.count, object.count) }

  /// The objects. Asked for before the command opens anything itself: a descriptor that is not open now was not handed
  /// over, and its number may be taken by the next open.
  func requested() throws -> [AdmissionRequest.Object] {
    for number in fd { try Examination.requireOpen(fd: number) }
    guard let image else { return fd.map { .descriptor($0) } + object.map { .file($0) } }
    return object.map { .image(path: image, object: $0) }
  }
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
  func anchors() throws -> TrustAnchors { try Self.anchors(in: trustAnchors) }

  /// The anchors in a directory; this machine's when none is named.
  static func anchors(in directory: String?) throws -> TrustAnchors {
    let anchors = if let directory { try TrustAnchors(directory: directory) } else { try TrustAnchors.standard() }
    anchors.warn()
    return anchors
  }
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
    if let rootHash, !Self.isRootHash(rootHash) {
      throw ValidationError("--root-hash needs 64 (sha256) or 128 (sha512) hexadecimal digits.")
    }
  }

  /// Whether these are the digits of a root hash.
  static func isRootHash(_ text: String) -> Bool { (try? RootHashFile.parse(argument: text)) != nil }

  /// What the user named.
  var trusted: TrustedRootHash { TrustedRootHash(hash: rootHash, file: rootHashFile) }
}

/// The root hash a user trusts beforehand: its digits, or the file that holds them.
struct TrustedRootHash {
  var hash: String?
  var file: String?

  /// The root hash, when one was named.
  func expected() throws -> Digest? {
    if let hash { return try RootHashFile.parse(argument: hash) }
    guard let file else { return nil }
    return try Self.read(file: file)
  }

  /// Reads a root-hash file.
  static func read(file: String) throws -> Digest {
    let descriptor = try OwnedFD.openRegular(file)
    let bytes = try descriptor.readToEnd(limit: 4096) ?? Array(repeating: 0, count: RootHashFile.maximumByteCount + 1)
    do throws(LayoutError) {
      return try RootHashFile.parse(bytes)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "root-hash file `\(file)`: \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
  }
}
