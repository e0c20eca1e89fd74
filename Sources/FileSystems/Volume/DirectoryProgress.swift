/// How far a directory has been read, for readers that take a piece of it at a time.
public struct DirectoryProgress: Sendable {
  public let directory: FileSystemInode
  /// The directory that holds this one; the root's is itself.
  public let parent: UInt64
  /// Where its contents are, once that is known; or the contents, where they are compressed and a part costs as much as all.
  var contents: Contents?
  /// Where squashfs's table of directories goes on with it, once it was begun.
  var place: MetadataPlace?
  /// Bytes of it that have been read.
  var position: UInt64 = 0
  /// Names so far.
  var count = 0
  /// The last name, `.` and `..` included: the next one has to come behind it.
  var previous: [UInt8] = []
  var dot: FileSystemName?
  var dotDot: FileSystemName?

  enum Contents: Sendable {
    case extents(FileExtents)
    case whole([UInt8])
  }

  public init(_ directory: FileSystemInode, parent: UInt64) {
    self.directory = directory
    self.parent = parent
  }
}
