internal import KernelABI
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
  /// Reads the facts of the block device `number`. What it is not is said only where sysfs says so.
  init(of number: DeviceNumber) throws(ProvenanceError) {
    device = number
    guard number.major != 0 else {
      throw .device(
        number: number, message: "is anonymous: the image was mounted as a file, without a loop device",
        next: "mount it through a loop device (losetup -r -f --show IMAGE), or load with --image")
    }
    let own = number.description
    // A partition has a number of its own; its disk is the directory above.
    let isPartition = try Self.asking { () throws(SystemError) in try KernelFile.has(.partition, own) }
    let disk = isPartition ? "\(own)/.." : own
    let answer = try Self.asking { () throws(SystemError) in try KernelFile.ask(.blockNumber, disk) }
    guard let known = answer.flatMap({ DeviceNumber($0) }) else { throw Self.missing(.blockNumber, disk) }
    guard known.major == 7 else {
      throw .device(
        number: number, message: "is an ordinary disk, not a loop device over an image",
        next: "mount the image through a loop device, or load with --image")
    }
    let file = try Self.asking { () throws(SystemError) in try KernelFile.ask(.loopBackingFile, disk) }
    guard let backing = file else {
      throw .device(
        number: number, message: "has no backing file any more",
        next: "mount the image again and open the object anew")
    }
    // A file can also be called so.
    guard !backing.hasSuffix(" (deleted)") || (try? FileStatus.of(path: backing)) != nil else {
      throw .device(
        number: number,
        message: "has the backing file `\(backing)`, which has been deleted, so its tree cannot be read",
        next: "mount an image that still has its file")
    }
    backingFile = backing
    let start = try Self.number(.loopOffset, disk)
    let limit = try Self.number(.loopSizeLimit, disk)
    (offset, sizeLimit) = isPartition ? try Self.place(ofPartition: own, in: start) : (start, limit)
    isReadOnly = try Self.number(.blockReadOnly, own) == 1
    diskSequence = try Self.number(.diskSequence, disk)
    let path = try Self.asking { () throws(SystemError) in try KernelDevice.nodePath(of: number) }
    name = String(path.dropFirst(KernelStatement.blockNode.place("").utf8.count))
  }

  /// Where a partition begins and how long it is, in bytes.
  private static func place(
    ofPartition partition: String, in start: UInt64
  ) throws(ProvenanceError) -> (offset: UInt64, sizeLimit: UInt64) {
    // In sectors of 512 bytes, whatever the device's own are.
    let (before, isFar) = try number(.partitionStart, partition).multipliedReportingOverflow(by: 512)
    let (size, isLong) = try number(.partitionSize, partition).multipliedReportingOverflow(by: 512)
    let (offset, isFarther) = start.addingReportingOverflow(before)
    guard size > 0, !isFar, !isLong, !isFarther else { throw missing(.partitionSize, partition) }
    return (offset, size)
  }

  private static func number(_ statement: KernelStatement, _ device: String) throws(ProvenanceError) -> UInt64 {
    let answer = try asking { () throws(SystemError) in try KernelFile.askNumber(statement, device) }
    guard let number = answer else { throw missing(statement, device) }
    return number
  }

  /// sysfs has the device, and not what every kernel since 5.15 says of one.
  private static func missing(_ statement: KernelStatement, _ device: String) -> ProvenanceError {
    .system(.unanswered(statement, at: statement.place(device), found: "no such answer (Linux 5.15 has it)"))
  }

  private static func asking<Answer>(
    _ question: () throws(SystemError) -> Answer
  ) throws(ProvenanceError) -> Answer {
    do throws(SystemError) { return try question() } catch { throw .system(error) }
  }
}
