public import Base

/// Why a file system could not be written.
public enum ErofsWriterError: Error, Equatable, Sendable {
  /// A path that no file of the image can have; `found` says what is wrong with it.
  case badPath(String, found: String)
  /// Two files of one path, or a file and a directory.
  case duplicate(path: String)
  /// More than a reader takes (``FileSystemLimits``).
  case limit(path: String, allowed: String, found: String)
  /// More blocks than block numbers of 32 bits can name.
  case tooLarge
  /// The last file has another size than was reserved for it, in bytes.
  case reservedSize(expected: UInt64, found: Int)
  /// The blocks could not be put where they belong.
  case sink(ByteSinkError)
}

extension ErofsWriterError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .badPath(let path, let found):
      Diagnostic(
        "build.bad-name", .incomplete, "`\(path)` cannot be packed under its name",
        expected: "names of 1 to \(FileSystemLimits.nameBytes) bytes without NUL, other than `.` and `..`",
        found: found,
        next: "rename it")
    case .duplicate(let path):
      Diagnostic(
        "build.bad-name", .incomplete, "`\(path)` cannot be packed under its name", expected: "one file of that name",
        found: "two of them, or a directory", next: "rename one of them")
    case .limit(let path, let allowed, let found):
      Diagnostic(
        "build.too-large", .incomplete, "`\(path)` does not fit into an image", expected: allowed, found: found,
        next: "split the directory into several images")
    case .tooLarge:
      Diagnostic(
        "build.too-large", .incomplete, "the files do not fit into one image", expected: "less than 2^32 - 1 blocks",
        found: "more", next: "split the directory into several images")
    case .reservedSize(let expected, let found):
      Diagnostic(
        "build.bad-manifest", .incomplete, "the last file has another size than it was given room for",
        expected: "\(expected) bytes", found: "\(found) bytes")
    case .sink(let error):
      Diagnostic(
        "build.write", .incomplete, "the file system cannot be written: \(error)",
        next: "check the free space where the image goes")
    }
  }
}
