internal import CLinuxShim
internal import KernelABI

/// What btrfs says of the devices under a file (include/uapi/linux/btrfs.h). To be asked only where the file system's type
/// says that it is btrfs: another may answer the same request in its own way.
public struct BtrfsDevices: Equatable, Sendable {
  /// How many devices it has, without those of a seed.
  public let count: UInt64
  /// The highest id of one.
  public let highestIdentifier: UInt64
  /// The 16 bytes by which sysfs calls the file system.
  public let uuid: [UInt8]
}

extension OwnedFD {
  /// BTRFS_IOC_FS_INFO.
  public borrowing func btrfsDevices() throws(SystemError) -> BtrfsDevices {
    var (count, highest): (UInt64, UInt64) = (0, 0)
    var uuid = [UInt8](repeating: 0, count: 16)
    let result = withRaw { fd in
      unsafe uuid.withUnsafeMutableBufferPointer { unsafe vb_btrfs_info(fd, &count, &highest, $0.baseAddress) }
    }
    guard result == 0 else { throw .current("ioctl BTRFS_IOC_FS_INFO") }
    return BtrfsDevices(count: count, highestIdentifier: highest, uuid: uuid)
  }

  /// BTRFS_IOC_DEV_INFO: whether the file system has a device of that id, of its own or of its seed.
  public borrowing func hasBtrfsDevice(_ identifier: UInt64) throws(SystemError) -> Bool {
    if withRaw({ vb_btrfs_device($0, identifier) }) == 0 { return true }
    let error = SystemError.current("ioctl BTRFS_IOC_DEV_INFO")
    guard error.code == .enodev else { throw error }
    return false
  }
}
