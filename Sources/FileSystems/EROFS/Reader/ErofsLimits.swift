/// What an image may cost its reader. The defaults are far above any image of BPF objects.
public struct ErofsLimits: Equatable, Sendable {
  /// Names that a walk may meet.
  public var entries: Int
  /// Components of a path.
  public var depth: Int
  /// Bytes of a path; PATH_MAX of the kernel less its NUL.
  public var pathBytes: Int
  /// Bytes of the paths of all names together, where they are listed.
  public var listingBytes: Int
  /// Bytes of one directory.
  public var directoryBytes: Int
  /// Bytes of one file, holes included.
  public var fileBytes: Int

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

  /// Refuses a list of paths that has got too long.
  public func checkListing(_ byteCount: Int) throws(ErofsError) {
    guard byteCount <= listingBytes else {
      throw ErofsError(
        .limit, expected: "at most \(listingBytes) bytes of paths of all names together", found: "more")
    }
  }
}
