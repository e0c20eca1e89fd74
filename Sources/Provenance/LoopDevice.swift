public import LinuxSys

/// A loop device and its backing file, as sysfs tells: readable without privilege (Documentation/ABI/testing/sysfs-block-loop).
public struct LoopFacts: Equatable, Sendable {
  public let device: DeviceNumber
  /// The backing file's path as the kernel reports it; a hint for people and the place to read from, never a proof.
  public let backingFile: String
  /// Where the device begins in the backing file, in bytes.
  public let offset: UInt64
  /// Bytes the device is limited to, or 0.
  public let sizeLimit: UInt64
  public let isReadOnly: Bool
  /// Changes whenever the device gets another backing file.
  public let diskSequence: UInt64

  /// Reads the facts of the block device `number`.
  init(of number: DeviceNumber) throws(ProvenanceError) {
    device = number
    let directory = "/sys/dev/block/\(number)"
    guard number.major == 7 else {
      if number.major == 0 {
        throw .device(
          number: number, message: "is anonymous: the image was mounted as a file, without a loop device",
          next: "mount it through a loop device (losetup -r -f --show IMAGE), or load with --image")
      }
      throw .device(
        number: number, message: "is an ordinary disk, not a loop device over an image",
        next: "mount the image through a loop device, or load with --image")
    }
    guard Sysfs.text("\(directory)/partition") == nil else {
      throw .device(
        number: number, message: "is a partition of a loop device",
        next: "load with --image, naming the file that holds the EROFS image")
    }
    guard let backing = Sysfs.text("\(directory)/loop/backing_file") else {
      throw .device(
        number: number, message: "has no backing file any more",
        next: "mount the image again and open the object anew")
    }
    guard !backing.hasSuffix(" (deleted)") else {
      throw .device(
        number: number,
        message: "has the backing file `\(backing)`, which has been deleted, so its tree cannot be read",
        next: "mount an image that still has its file")
    }
    guard let offset = Sysfs.number("\(directory)/loop/offset"),
      let limit = Sysfs.number("\(directory)/loop/sizelimit"),
      let readOnly = Sysfs.number("\(directory)/ro"),
      let sequence = Sysfs.number("\(directory)/diskseq")
    else {
      throw .device(
        number: number, message: "does not tell its offset, size limit and disk sequence in sysfs",
        next: "check that sysfs is mounted at /sys and that the kernel is 5.15 or later")
    }
    backingFile = backing
    self.offset = offset
    sizeLimit = limit
    isReadOnly = readOnly == 1
    diskSequence = sequence
  }
}
