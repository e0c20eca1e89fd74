internal import Base
internal import Glibc

/// A shell pattern for paths (glob(7)), matched by fnmatch(3).
public struct FileNamePattern: Equatable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Whether the pattern matches a relative path. A pattern without `/` is held against the last component alone;
  /// in one with `/`, no wildcard matches a `/`.
  public func matches(_ path: String) -> Bool {
    let subject = text.contains("/") ? path : String(path.split(separator: "/").last ?? "")
    return text.withSystemPath { text in subject.withSystemPath { unsafe fnmatch(text, $0, FNM_PATHNAME) } } == 0
  }
}
