internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// A loop device (loop(4)) and what it stands for.
public struct LoopStatus: Sendable, Equatable {
  /// `/dev/loopN`'s N.
  public let number: UInt32
  /// The file system device and inode of the backing file.
  public let backingDevice: UInt64
  public let backingInode: UInt64
  /// Where the device begins in the backing file, in bytes.
  public let offset: UInt64
  /// Bytes the device is limited to, or 0 for the rest of the file.
  public let sizeLimit: UInt64
  public let isReadOnly: Bool
  /// The label that it was set up with (`lo_file_name`): often the path, and no evidence of it.
  public let label: String
}

extension OwnedFD {
  /// LOOP_GET_STATUS64 of an open loop device.
  public borrowing func loopStatus() throws(SystemError) -> LoopStatus {
    var raw = vb_loop_status()
    guard withRaw({ unsafe vb_loop_get_status($0, &raw) }) == 0 else { throw .current("ioctl LOOP_GET_STATUS64") }
    return LoopStatus(
      number: raw.number, backingDevice: raw.device, backingInode: raw.inode, offset: raw.offset,
      sizeLimit: raw.sizelimit, isReadOnly: raw.flags & UInt32(VB_LO_FLAGS_READ_ONLY) != 0,
      label: unsafe withUnsafeBytes(of: raw.file_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }

  /// BLKGETDISKSEQ: a number that changes each time the device stands for another disk or backing file.
  public borrowing func diskSequence() throws(SystemError) -> UInt64 {
    var sequence: UInt64 = 0
    guard withRaw({ unsafe vb_disk_sequence($0, &sequence) }) == 0 else { throw .current("ioctl BLKGETDISKSEQ") }
    return sequence
  }
}

/// A loop device that this process set up, read-only. The kernel takes it down when its last user is gone: this value,
/// a mount, or a device-mapper table.
public struct AttachedLoop: ~Copyable {
  /// `/dev/loopN`.
  public let path: String
  public let number: DeviceNumber
  fileprivate let device: OwnedFD

  /// Puts a part of a file under the first free loop device; needs root.
  ///
  /// - Parameters:
  ///   - offset: where the device begins in the file, in bytes.
  ///   - sizeLimit: bytes of the device, or 0 for the rest of the file.
  ///   - label: what is written on the device, so that it is known again; at most 63 bytes.
  public static func attach(
    _ file: borrowing OwnedFD, offset: UInt64 = 0, sizeLimit: UInt64 = 0, label: String = ""
  ) throws(SystemError) -> AttachedLoop {
    let flags = UInt32(VB_LO_FLAGS_READ_ONLY | VB_LO_FLAGS_AUTOCLEAR)
    return try LoopDevices.configureFree(file, flags: flags, offset: offset, sizeLimit: sizeLimit, label: label)
  }
}

/// Setting up loop devices, which needs root.
public enum LoopDevices {
  /// Puts a file under the first free loop device, read-only.
  ///
  /// - Parameter scansPartitions: whether the kernel reads the file's partition table and makes devices of its partitions.
  /// - Returns: the device's path. It stays until ``detach(_:)``.
  public static func attachReadOnly(
    _ file: borrowing OwnedFD, scansPartitions: Bool = false
  ) throws(SystemError) -> String {
    let flags = VB_LO_FLAGS_READ_ONLY | (scansPartitions ? VB_LO_FLAGS_PARTSCAN : 0)
    return try configureFree(file, flags: UInt32(flags), offset: 0, sizeLimit: 0, label: "").path
  }

  fileprivate static func configureFree(
    _ file: borrowing OwnedFD, flags: UInt32, offset: UInt64, sizeLimit: UInt64, label: String
  ) throws(SystemError) -> AttachedLoop {
    let control = try KernelDevice.open(.loopControl, flags: .readWrite)
    // Another process may take the free number first.
    for _ in 0..<64 {
      let number = control.withRaw { vb_loop_get_free($0) }
      guard number >= 0 else { throw .current("ioctl LOOP_CTL_GET_FREE") }
      let path = KernelStatement.loopNode.place("\(number)")
      let device = try KernelDevice.open(.loopNode, "\(number)", flags: .readOnly)
      let result = device.withRaw { loop in
        file.withRaw { unsafe vb_loop_configure(loop, $0, flags, offset, sizeLimit, label) }
      }
      if result == 0 {
        return AttachedLoop(path: path, number: try device.status().specialDevice, device: device)
      }
      let error = SystemError.current("ioctl LOOP_CONFIGURE", path: path)
      guard error.errno == EBUSY else { throw error }
    }
    throw SystemError("ioctl LOOP_CONFIGURE", errno: EBUSY)
  }

  /// LOOP_CLR_FD: the device goes when its last user does.
  public static func detach(_ path: String) throws(SystemError) {
    let device = try OwnedFD.open(path, .readOnly)
    guard device.withRaw({ vb_loop_clear($0) }) == 0 else { throw .current("ioctl LOOP_CLR_FD", path: path) }
  }
}
