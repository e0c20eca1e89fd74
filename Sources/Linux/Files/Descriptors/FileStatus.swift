internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// A device number.
public struct DeviceNumber: Hashable, Sendable, CustomStringConvertible {
  public let major: UInt64
  public let minor: UInt64

  public init(major: UInt64, minor: UInt64) {
    self.major = major
    self.minor = minor
  }

  /// Reads `major:minor`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
    guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
    self.init(major: major, minor: minor)
  }

  /// `major:minor`, as /proc/self/mountinfo and /sys/dev/block write it.
  public var description: String { "\(major):\(minor)" }
}

/// What statx(2) says of an open file.
public struct FileStatus: Sendable {
  /// What kind of file an inode is (inode(7)).
  public enum Kind: String, Sendable {
    case regular, directory, fifo, socket
    case symbolicLink = "symbolic link"
    case blockDevice = "block device"
    case characterDevice = "character device"
    case other
  }

  public let kind: Kind
  /// The device the file system is on (`st_dev`).
  public let device: DeviceNumber
  /// The device the file is (`st_rdev`), for device files.
  public let specialDevice: DeviceNumber
  public let inode: UInt64
  /// Permission bits.
  public let mode: UInt32
  public let linkCount: UInt64
  public let owner: UInt64
  public let group: UInt64
  /// Bytes.
  public let size: UInt64
  /// The mount, unique since boot where the kernel gives such ids (6.8 and later).
  public let mountID: UInt64
  /// Whether the file system has the contents encrypted, so that its blocks hold something else than is read.
  public let isEncrypted: Bool

  init(_ raw: vb_stat) {
    kind =
      switch FileType(mode: UInt16(truncatingIfNeeded: raw.mode)) {
      case .regular: .regular
      case .directory: .directory
      case .fifo: .fifo
      case .socket: .socket
      case .symbolicLink: .symbolicLink
      case .blockDevice: .blockDevice
      case .characterDevice: .characterDevice
      case nil: .other
      }
    device = DeviceNumber(major: raw.dev_major, minor: raw.dev_minor)
    specialDevice = DeviceNumber(major: raw.rdev_major, minor: raw.rdev_minor)
    inode = raw.ino
    mode = UInt32(truncatingIfNeeded: raw.mode) & 0o7777
    linkCount = raw.nlink
    owner = raw.uid
    group = raw.gid
    size = raw.size
    mountID = raw.mnt_id
    isEncrypted = raw.attributes_encrypted != 0
  }

  /// statx(2) of a path.
  public static func of(path: String, followLinks: Bool = true) throws(SystemError) -> FileStatus {
    var raw = vb_stat()
    let result = path.withSystemPath { unsafe vb_statx($0, followLinks ? 1 : 0, &raw) }
    guard result == 0 else { throw .current("statx", path: path) }
    return FileStatus(raw)
  }
}

extension OwnedFD {
  /// statx(2) of the open file.
  public borrowing func status() throws(SystemError) -> FileStatus {
    var raw = vb_stat()
    guard withRaw({ unsafe vb_fstatx($0, &raw) }) == 0 else { throw .current("statx") }
    return FileStatus(raw)
  }

  /// statx(2) of a name in this directory; of a symbolic link itself, not of what it leads to.
  public borrowing func status(at name: String) throws(SystemError) -> FileStatus {
    var raw = vb_stat()
    let result = withRaw { fd in name.withSystemPath { unsafe vb_statx_at(fd, $0, &raw) } }
    guard result == 0 else { throw .current("statx", path: name) }
    return FileStatus(raw)
  }

  /// When the file was changed last; of a directory also when a name in it was made, changed or removed. In steps of a
  /// clock tick.
  public borrowing func changeTime() throws(SystemError) -> Timestamp {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    guard withRaw({ unsafe vb_change_time($0, &seconds, &nanoseconds) }) == 0 else { throw .current("fstat") }
    return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }

  /// Whether the descriptor was opened with O_PATH, and so cannot be read.
  public borrowing func isPathOnly() throws(SystemError) -> Bool {
    let flags = withRaw { vb_fcntl_getfl($0) }
    guard flags >= 0 else { throw .current("fcntl F_GETFL") }
    return flags & VB_O_PATH != 0
  }

  /// The file system's magic number (statfs(2), include/uapi/linux/magic.h).
  public borrowing func fileSystemType() throws(SystemError) -> UInt64 {
    var type: UInt64 = 0
    guard withRaw({ unsafe vb_fstatfs_type($0, &type) }) == 0 else { throw .current("fstatfs") }
    return type
  }

  /// Whether the file's mount is read-only, or its file system is (`f_flags` of statfs(2)).
  public borrowing func isReadOnlyMount() throws(SystemError) -> Bool {
    try mountFlags() & Int64(VB_ST_RDONLY) != 0
  }

  /// Whether nothing may be executed from the file's mount.
  borrowing func isNoExecMount() throws(SystemError) -> Bool { try mountFlags() & Int64(VB_ST_NOEXEC) != 0 }

  private borrowing func mountFlags() throws(SystemError) -> Int64 {
    let flags = withRaw { vb_fstatfs_flags($0) }
    guard flags >= 0 else { throw .current("fstatfs") }
    return flags
  }

  /// Bytes of a regular file or block device.
  public borrowing func contentSize() throws(SystemError) -> UInt64 { try contentSize(try status()) }

  /// The same where its status was asked for already.
  public borrowing func contentSize(_ status: FileStatus) throws(SystemError) -> UInt64 {
    guard status.kind == .blockDevice else { return status.size }
    var bytes: UInt64 = 0
    guard withRaw({ unsafe vb_block_device_size($0, &bytes) }) == 0 else { throw .current("ioctl BLKGETSIZE64") }
    return bytes
  }
}
