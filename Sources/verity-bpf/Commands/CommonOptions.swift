import Admission
import Base
import ImageFormat
import Linux
import Trust
import Policy
import Provenance

/// Options that mean the same for every command that has them.
enum CommonOptions {
  static let json = Key.flag("--json", "Print one JSON object.")

  static let trustAnchors: Key<String?> = .optional(
    "--trust-anchors", takes: .directory,
    "The directory of trust anchors: SET/*.pem, and the list `revoked`. (default: as `config show` says, or "
      + "/etc/verity-bpf/trust, VOA, verity.d)")

  static let auditDirectory: Key<String?> = .optional(
    "--audit-dir", takes: .directory,
    "The directory of the audit log. (default: as `config show` says, or /var/log/verity-bpf)")

  static let auditSync: Key<AuditSync?> = .optional(
    "--audit-sync",
    "Which records are on the disk before the run goes on: none, decision (those before a load), always. (default: as "
      + "`config show` says, or none)")

  static let store: Key<String?> = .optional(
    "--store", takes: .directory,
    "The directory of installed policies. (default: as `config show` says, or \(PolicyStore.standardDirectory))")

  static let dialect: Key<DialectName> = .optional(
    "--dialect", default: .verityBPF,
    "The language of the policy: verity-bpf, or kernel for what the IPE parser of Linux 6.12 takes.")
}

extension AuditSync: ArgumentChoice {}

/// The dialects by their names on the command line.
enum DialectName: String, ArgumentChoice {
  case kernel
  case verityBPF = "verity-bpf"

  var dialect: Dialect {
    switch self {
    case .kernel: .kernel
    case .verityBPF: .verityBPF
    }
  }
}

/// Which objects are meant: by descriptor, or by image and path.
struct ObjectChoice {
  static let fd: Key<[Int32]> = .repeated("--fd", "A descriptor of the object, opened on a mounted image.")
  static let image: Key<String?> = .optional("--image", takes: .image, "An image file; nothing is mounted.")
  static let object: Key<[String]> = .repeated(
    "--object", takes: .objectInImage,
    "The object's path inside the image; without --image an ordinary file, for which only its own signature can speak.")
  static let keys: [any AnyKey] = [fd, image, object] + ImagePlace.keys

  let fd: [Int32]
  let image: String?
  let object: [String]
  let place: ImagePlace
  /// The file that this process was started for.
  let executed: ExecutedFile?

  /// The object that was executed.
  init(executed: ExecutedFile) {
    fd = []
    image = nil
    object = []
    place = ImagePlace()
    self.executed = executed
  }

  /// - Parameter isWhole: whether all objects of the image are meant, so that none is named.
  init(_ words: Words, isWhole: Bool = false) throws(UsageError) {
    fd = try words[Self.fd]
    image = try words[Self.image]
    object = try words[Self.object]
    place = try ImagePlace(words)
    executed = nil
    try place.requireImage(image)
    if isWhole {
      guard image != nil, fd.isEmpty, object.isEmpty else {
        throw UsageError("--all is about an image: give --image, and neither --object nor --fd.")
      }
    } else if fd.isEmpty {
      guard !object.isEmpty else {
        throw UsageError("Name the object: --fd N, or --image IMAGE --object PATH, or --object FILE.")
      }
    } else {
      guard image == nil, object.isEmpty else { throw UsageError("Give --fd, or --image with --object, not both.") }
    }
  }

  /// How many there are: one or more.
  var count: Int { max(descriptors.count, object.count) }

  /// The numbers of those that are open.
  var descriptors: [Int32] { fd + (executed.map { [$0.number] } ?? []) }

  /// The objects.
  var requested: [AdmissionRequest.Object] {
    if let executed { return [.executed(executed)] }
    guard let image else { return fd.map { .descriptor($0) } + object.map { .file($0) } }
    return object.map { .image(path: image, object: $0, at: place.location) }
  }

  /// Refuses a descriptor that was not handed over. Asked before the command opens anything itself: the number of one
  /// that is not open now may be taken by the next open.
  func requireOpen() throws {
    for number in descriptors { try Examination.requireOpen(fd: number) }
  }
}

/// The number of a descriptor.
extension Int32: ArgumentValue {
  static var expectation: String { "the number of an open descriptor, 0 or more" }
  static var kind: ValueKind { .word("N") }

  init?(argument: String) {
    guard let number = Int32(argument), number >= 0 else { return nil }
    self = number
  }
}

/// A place in a file.
extension UInt64: ArgumentValue {
  static var expectation: String { "a number of bytes" }
  static var kind: ValueKind { .word("BYTES") }
  init?(argument: String) { self.init(argument) }
}

extension Int: ArgumentValue {
  static var expectation: String { "a whole number" }
  static var kind: ValueKind { .word("N") }
  init?(argument: String) { self.init(argument) }
}

/// A root hash, with or without its algorithm before it.
extension Digest: ArgumentValue {
  static var expectation: String { "64 (sha256) or 128 (sha512) hexadecimal digits" }
  static var kind: ValueKind { .word("HASH") }

  init?(argument: String) {
    guard let digest = try? RootHashFile.parse(argument: argument) else { return nil }
    self = digest
  }
}
