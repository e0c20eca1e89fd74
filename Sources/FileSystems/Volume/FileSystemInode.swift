internal import KernelABI

/// A file, directory or symbolic link of a file system.
public struct FileSystemInode: Equatable, Sendable {
  /// What an inode is (inode(7)); the raw value is the type in EROFS's directory entries (`EROFS_FT_*`).
  public enum Kind: UInt8, Sendable {
    case regular = 1
    case directory, characterDevice, blockDevice, fifo, socket, symbolicLink

    /// From the file type bits of `st_mode`.
    init?(mode: UInt16) {
      switch FileType(mode: mode) {
      case .regular: self = .regular
      case .directory: self = .directory
      case .characterDevice: self = .characterDevice
      case .blockDevice: self = .blockDevice
      case .fifo: self = .fifo
      case .socket: self = .socket
      case .symbolicLink: self = .symbolicLink
      case nil: return nil
      }
    }

    /// As people call it.
    public var name: String {
      switch self {
      case .regular: "regular file"
      case .directory: "directory"
      case .characterDevice: "character device"
      case .blockDevice: "block device"
      case .fifo: "fifo"
      case .socket: "socket"
      case .symbolicLink: "symbolic link"
      }
    }
  }

  /// What directory entries name it by; of squashfs, where it is in the table of inodes.
  public let nid: UInt64
  /// What the kernel shows as `st_ino`. Only of squashfs is it another than ``nid``.
  public let number: UInt64
  public let kind: Kind
  /// Permission bits.
  public let permissions: UInt16
  /// Bytes of content; of a symbolic link, of its target.
  public let size: UInt64
  /// Number of names.
  public let linkCount: UInt32
  public let owner: UInt32
  public let group: UInt32
  /// Where the inode is, in bytes from the start of the image.
  public let offset: UInt64
}
