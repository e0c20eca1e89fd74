public import Diagnostics
public import Hashing
public import ImageFiles
public import LinuxSys

/// Why the origin of an object's bytes could not be proven.
public enum ProvenanceError: Error, Sendable {
  /// A system call failed on the way.
  case system(SystemError)
  /// The descriptor is of a kind that can have no provenance (a pipe, a directory …).
  case notAFile(fd: Int32, kind: String, next: String)
  /// The file is on a file system that is no proven image.
  case fileSystem(fd: Int32, name: String, why: String, next: String)
  /// The file system's device cannot be traced to an image.
  case device(number: DeviceNumber, message: String, next: String)
  /// The loop device changed under the mount while it was examined, or shows other bytes than the image proves.
  case mountDiffers(message: String, expected: String, found: String)
  /// The image could not be opened, or its layout was refused.
  case imageFile(ImageFileError)
  /// The image's tree or blocks were refused.
  case image(path: String, Diagnostic)
  /// The object is not in the image, or is not a regular file.
  case object(path: String, image: String, message: String, next: String)
  /// The root hash is not the one that was asked for.
  case rootHash(image: String, expected: String, found: String)
  /// The object is larger than anything this project loads.
  case tooLarge(object: String, size: UInt64, limit: UInt64)
  case hashing(HashingError)
}

extension ProvenanceError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error):
      return error.diagnostic
    case .notAFile(let fd, let kind, let next):
      return Diagnostic(
        "provenance.not-a-file", .integrity, "fd \(fd) is a \(kind), which has no provenance",
        expected: "a regular file on a read-only image", found: kind, next: next)
    case .fileSystem(let fd, let name, let why, let next):
      return Diagnostic(
        "provenance.file-system", .integrity, "fd \(fd) is on \(name): \(why)",
        expected: "an EROFS image behind a loop device", found: name, next: next)
    case .device(let number, let message, let next):
      return Diagnostic(
        "provenance.device", .integrity, "device \(number): \(message)",
        expected: "a loop device whose backing file is an image with a dm-verity tree", next: next)
    case .mountDiffers(let message, let expected, let found):
      return Diagnostic(
        "provenance.mount-differs", .integrity, message, expected: expected, found: found,
        why: "somebody changed the image or the device under the mount",
        next: "unmount, run `verity-bpf verify` on the image, and mount it again")
    case .imageFile(let error):
      return error.diagnostic
    case .image(let path, let diagnostic):
      var named = diagnostic
      named.message = "image `\(path)`: \(diagnostic.message)"
      return named
    case .object(let path, let image, let message, let next):
      return Diagnostic(
        "provenance.object", .integrity, "object `\(path)` in image `\(image)`: \(message)", next: next)
    case .rootHash(let image, let expected, let found):
      return Diagnostic(
        "provenance.root-hash", .integrity, "image `\(image)` has another root hash than the one asked for",
        expected: expected, found: found,
        next: "check that this is the image you meant, or that the root hash belongs to this version of it")
    case .tooLarge(let object, let size, let limit):
      return Diagnostic(
        "provenance.too-large", .integrity, "object `\(object)` is too large to be a BPF object",
        expected: "at most \(limit) bytes", found: "\(size) bytes")
    case .hashing(let error):
      return Diagnostic("provenance.hashing", .incomplete, error.description)
    }
  }
}
