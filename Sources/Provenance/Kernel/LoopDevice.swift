public import Linux

/// A loop device and its backing file, as sysfs tells: readable without privilege (Documentation/ABI/testing/sysfs-block-loop).
public struct LoopFacts: Equatable, Sendable {
  public let device: DeviceNumber
  /// `loop0`, or `loop0p1` for a partition of it.
  public let name: String
  /// The backing file's path as the kernel reports it; a hint for people and the place to read from, never a proof.
  public let backingFile: String
  /// Where the device begins in the backing file, in bytes; for a partition, where that begins.
  public let offset: UInt64
  /// Bytes the device is limited to, or 0.
  public let sizeLimit: UInt64
  public let isReadOnly: Bool
  /// Changes whenever the device gets another backing file.
  public let diskSequence: UInt64
}

extension LoopFacts {
  /// Reads the facts of the block device `number`.
  init(of number: DeviceNumber) throws(ProvenanceError) {
    device = number
    let directory = "/sys/dev/block/\(number)"
    // A partition has a number of its own; its disk is the directory above.
    let partition = KernelFile.text("\(directory)/partition") == nil ? nil : directory
    let disk = partition == nil ? directory : "\(directory)/.."
    guard (KernelFile.text("\(disk)/dev").flatMap { DeviceNumber($0) }?.major ?? number.major) == 7 else {
      if number.major == 0 {
        throw .device(
          number: number, message: "is anonymous: the image was mounted as a file, without a loop device",
          next: "mount it through a loop device (losetup -r -f --show IMAGE), or load with --image")
      }
      throw .device(
        number: number, message: "is an ordinary disk, not a loop device over an image",
        next: "mount the image through a loop device, or load with --image")
    }
    guard let backing = KernelFile.text("\(disk)/loop/backing_file") else {
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
    guard let start = KernelFile.number("\(disk)/loop/offset"),
      let limit = KernelFile.number("\(disk)/loop/sizelimit"),
      let readOnly = KernelFile.number("\(directory)/ro"),
      let sequence = KernelFile.number("\(disk)/diskseq"),
      let place = Self.place(of: partition, in: start, limit)
    else {
      throw .device(
        number: number, message: "does not tell its offset, size limit and disk sequence in sysfs",
        next:
          "check that sysfs is mounted at /sys, nothing over its files (findmnt --submounts /sys), and that the kernel "
          + "is 5.15 or later")
    }
    backingFile = backing
    (offset, sizeLimit) = place
    isReadOnly = readOnly == 1
    diskSequence = sequence
    name = KernelFile.node(of: number).map { String($0.dropFirst("/dev/".count)) } ?? "loop\(number.minor)"
  }

  /// Where the device begins and how long it is, in bytes; nil when sysfs does not tell.
  private static func place(
    of partition: String?, in start: UInt64, _ limit: UInt64
  ) -> (offset: UInt64, sizeLimit: UInt64)? {
    guard let partition else { return (start, limit) }
    // In sectors of 512 bytes, whatever the device's own are.
    guard let first = KernelFile.number("\(partition)/start"), let count = KernelFile.number("\(partition)/size"),
      count > 0
    else { return nil }
    let (before, isFar) = first.multipliedReportingOverflow(by: 512)
    let (offset, isFarther) = start.addingReportingOverflow(before)
    let (size, isLong) = count.multipliedReportingOverflow(by: 512)
    return isFar || isFarther || isLong ? nil : (offset, size)
  }
}
