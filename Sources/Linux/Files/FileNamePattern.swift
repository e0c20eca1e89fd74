internal import Glibc

/// A shell pattern for paths (glob(7)), matched by fnmatch(3).
public struct FileNamePattern: Equatable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Whether the pattern matches a relative path. A pattern without `/` is held against the last component alone;
  /// in one with `/`, no wildcard matches a `/`.
  public func matches(_ path: String) -> Bool {
    let subject = text.contains("/") ? path : String(path.split(separator: "/").last ?? "")
    return unsafe fnmatch(text, subject, FNM_PATHNAME) == 0
  }
}
