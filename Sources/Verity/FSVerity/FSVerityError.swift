public import Base

/// Why a file's fs-verity digest could not be computed, or does not fit.
public enum FSVerityError: Error, Equatable, Sendable {
  /// The kernel's descriptor is none that this project knows.
  case descriptor(String)
  /// Block size, salt or algorithm that fs-verity does not have.
  case parameter(String)
  /// The bytes that were read are not those under the digest.
  case contentMismatch(expected: String, found: String)
  /// The descriptor that the kernel showed does not hash to the digest that it named.
  case digestMismatch(expected: String, found: String)
  case hashing(HashingError)
}

extension FSVerityError {
  /// Why there is no tree.
  init(_ error: VerityError) {
    self = if case .hashing(let cause) = error { .hashing(cause) } else { .parameter(error.diagnostic.message) }
  }
}

extension FSVerityError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .descriptor(let what):
      Diagnostic(
        "fsverity.descriptor", .integrity, "the kernel's fs-verity descriptor has \(what)",
        expected: "version 1 of Documentation/filesystems/fsverity.rst")
    case .parameter(let what):
      Diagnostic("fsverity.parameter", .integrity, "fs-verity has no \(what)")
    case .contentMismatch(let expected, let found):
      Diagnostic(
        "fsverity.content", .integrity, "the bytes that were read are not those under the file's fs-verity digest",
        expected: expected, found: found,
        why: "the kernel names the digest it was given when fs-verity was enabled, whatever is read now",
        next: "take the file for changed on the disk; get it anew from where it was made")
    case .digestMismatch(let expected, let found):
      Diagnostic(
        "fsverity.digest", .integrity, "the file's fs-verity descriptor does not hash to the digest the kernel names",
        expected: expected, found: found)
    case .hashing(let error):
      Diagnostic("fsverity.hashing", .incomplete, error.description)
    }
  }
}
