public import Base
public import Linux

/// Why an image could not be opened.
public enum ImageFileError: Error, Equatable, Sendable {
  /// The system refused.
  case system(SystemError)
  /// The path leads to something that has no bytes at fixed places.
  case notAnImage(path: String, kind: String)
  /// What is stored as the root hash is none.
  case rootHash(Diagnostic)
  /// The layout, a superblock or the signature beside it was refused.
  case image(path: String, Diagnostic)
}

extension ImageFileError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error): return error.diagnostic
    case .notAnImage(let path, let kind):
      return Diagnostic(
        "image.not-an-image", .incomplete, "`\(path)` is no image", expected: "a regular file or a block device",
        found: "a \(kind)", next: "name the image file that `verity-bpf build-image` wrote")
    case .rootHash(let diagnostic): return diagnostic
    case .image(let path, let diagnostic):
      var named = diagnostic
      if !named.message.mentions("`\(path)`") { named.message = "image `\(path)`: \(named.message)" }
      return named
    }
  }
}
