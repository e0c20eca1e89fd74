/// What a file system may have at most: our writer makes none that has more, and our reader refuses any that has. The
/// defaults are far above any image of BPF objects.
public struct FileSystemLimits: Equatable, Sendable {
  /// Names in the whole tree, with the root.
  public var entries: Int
  /// Components of a path.
  public var depth: Int
  /// Bytes of a path; PATH_MAX of the kernel less its NUL.
  public var pathBytes: Int
  /// Bytes of the paths of all files together: they are listed.
  public var listingBytes: Int
  /// Bytes of one directory.
  public var directoryBytes: Int
  /// Bytes of one file, holes included.
  public var fileBytes: Int

  /// Bytes of one name (`EROFS_NAME_LEN`, fs/erofs/erofs_fs.h).
  static let nameBytes = 255

  public init(
    entries: Int = 1 << 20, depth: Int = 64, pathBytes: Int = 4095, listingBytes: Int = 32 << 20,
    directoryBytes: Int = 64 << 20, fileBytes: Int = 1 << 30
  ) {
    self.entries = entries
    self.depth = depth
    self.pathBytes = pathBytes
    self.listingBytes = listingBytes
    self.directoryBytes = directoryBytes
    self.fileBytes = fileBytes
  }

  /// Which of them was passed.
  public enum Limit: Sendable, CaseIterable {
    case names, path, listing, directory, file
  }

  /// What one of them allows, for the messages of those who keep to it.
  public func allowed(_ limit: Limit) -> String {
    switch limit {
    case .names: "at most \(entries) names"
    case .path: "a path of at most \(depth) components and \(pathBytes) bytes"
    case .listing: "at most \(listingBytes) bytes of paths of all files together"
    case .directory: "a directory of at most \(directoryBytes) bytes"
    case .file: "a file of at most \(fileBytes) bytes"
    }
  }

  /// Whether a file or directory can lie there.
  ///
  /// - Parameters:
  ///   - depth: components of its path.
  ///   - byteCount: bytes of its path.
  public func allowPath(depth: Int, byteCount: Int) -> Bool { depth <= self.depth && byteCount <= pathBytes }
}
