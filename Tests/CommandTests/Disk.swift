import Base
import ImageFormat
import Linux
import TestSupport
import Testing
import Verity

/// A disk image whose partitions a test lays out itself, with the table that `build-image` writes.
struct Disk {
  /// One partition.
  struct Part {
    var type: VolumeUUID
    var uuid: VolumeUUID
    var name = ""
    var bytes: [UInt8]
    /// Bytes behind `bytes` that belong to the partition too, and their value.
    var padding = 0
    var filler: UInt8 = 0
  }

  var parts: [Part]

  /// The whole disk.
  var bytes: [UInt8] {
    var disk = [UInt8](repeating: 0, count: 1 << 20)
    var partitions: [NewPartitionTable.Partition] = []
    for part in parts {
      let start = UInt64(disk.count)
      disk += part.bytes + [UInt8](repeating: part.filler, count: part.padding)
      disk += [UInt8](repeating: 0, count: (512 - disk.count % 512) % 512)
      partitions.append(
        NewPartitionTable.Partition(
          name: part.name, type: part.type, uuid: part.uuid, range: start..<UInt64(disk.count), attributes: 0))
    }
    let size = (UInt64(disk.count) + NewPartitionTable.tailByteCount + 4095) / 4096 * 4096
    let table = NewPartitionTable(uuid: VolumeUUID([1]), partitions, byteCount: size)
    disk.replaceSubrange(0..<table.head.count, with: table.head)
    disk += [UInt8](repeating: 0, count: Int(size) - disk.count - table.tail.count)
    return disk + table.tail
  }

  /// The parts of an image that `build-image --layout ddi` made, in their order.
  init(_ bytes: [UInt8]) throws {
    let table = try #require(try PartitionTable.read(from: ArraySource(bytes)))
    parts = table.partitions.map { partition in
      let range = Int(partition.range.lowerBound)..<Int(partition.range.upperBound)
      return Part(type: partition.type, uuid: partition.uuid, bytes: Array(bytes[range]))
    }
  }
}
