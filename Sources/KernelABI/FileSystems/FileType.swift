/// What an inode is, as the upper bits of its mode say (`S_IFMT`; inode(7), include/uapi/linux/stat.h).
public enum FileType: UInt16, Sendable, CaseIterable {
  case fifo = 0o010000
  case characterDevice = 0o020000
  case directory = 0o040000
  case blockDevice = 0o060000
  case regular = 0o100000
  case symbolicLink = 0o120000
  case socket = 0o140000

  /// The type in a mode; nil for bits that are none.
  public init?(mode: UInt16) { self.init(rawValue: mode & 0o170000) }
}
