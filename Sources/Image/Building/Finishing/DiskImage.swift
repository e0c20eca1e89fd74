internal import Base
internal import Verity
internal import ImageFormat
internal import Linux

/// Puts file system, tree and signature into the partitions of a discoverable disk image (UAPI.2, UAPI.3).
///
/// Every UUID follows from the root hash, so that equal input gives an equal table.
struct DiskImage {
  let sealed: ImageSealer.Sealed
  /// What the partition is for.
  let use: PartitionTypes.Use
  /// The contents of the signature's partition, when the root hash is signed.
  let signature: [UInt8]?
  /// The image's name, for messages.
  let output: String

  /// Where the first partition begins: what partitioning tools align to.
  private static let firstByte: UInt64 = 1 << 20

  /// One partition, with the bytes of the image that go into it.
  private struct Part {
    let name: String
    let type: VolumeUUID
    let uuid: VolumeUUID
    let byteCount: UInt64
    /// Where its bytes are in the image with the appended tree; nil for the signature.
    let source: UInt64?
  }

  /// Writes the disk.
  ///
  /// - Parameters:
  ///   - image: file system, superblock and tree one after the other.
  ///   - disk: an empty file, open for writing.
  func write(_ image: borrowing OwnedFD, to disk: borrowing OwnedFD) throws(BuildError) {
    let parts = try parts()
    var start = Self.firstByte
    var partitions: [NewPartitionTable.Partition] = []
    for part in parts {
      let range = start..<start + part.byteCount
      partitions.append(
        NewPartitionTable.Partition(
          name: part.name, type: part.type, uuid: part.uuid, range: range,
          attributes: DiscoverablePartition.readOnlyBit))
      start = range.upperBound
    }
    let size = (start + NewPartitionTable.tailByteCount + 4095) / 4096 * 4096
    let table = NewPartitionTable(
      uuid: try derivedUUID("verity-bpf disk uuid 1"), partitions, byteCount: size)
    do throws(SystemError) {
      try disk.truncate(to: size)
      try disk.writeAll(table.head.rawSpan, at: 0)
      try disk.writeAll(table.tail.rawSpan, at: size - NewPartitionTable.tailByteCount)
    } catch {
      throw .output(path: output, error)
    }
    try copy(parts, from: image, to: disk)
  }

  private func parts() throws(BuildError) -> [Part] {
    let types = PartitionTypes.native(use)
    let uuids = DiscoverablePartition.uuids(of: sealed.rootHash)
    let dataBytes = sealed.layout.parameters.dataByteCount
    let name = types.name
    var parts = [
      Part(name: name, type: types.data, uuid: uuids.data, byteCount: dataBytes, source: 0),
      Part(
        name: "\(name)-verity", type: types.verity, uuid: uuids.verity,
        byteCount: sealed.layout.treeEnd - dataBytes, source: dataBytes),
    ]
    if let signature {
      parts.append(
        Part(
          name: "\(name)-verity-sig", type: types.signature,
          uuid: try derivedUUID("verity-bpf signature partition uuid 1"), byteCount: UInt64(signature.count),
          source: nil))
    }
    return parts
  }

  private func derivedUUID(_ domain: String) throws(BuildError) -> VolumeUUID {
    do throws(HashingError) {
      return try DerivedValues.uuid(domain, of: sealed.rootHash)
    } catch {
      throw .verity(.hashing(error))
    }
  }

  private func copy(
    _ parts: [Part], from image: borrowing OwnedFD, to disk: borrowing OwnedFD
  ) throws(BuildError) {
    var start = Self.firstByte
    do throws(SystemError) {
      for part in parts {
        if let source = part.source {
          try image.copy(from: source, count: part.byteCount, to: disk, at: start)
        } else if let signature {
          try disk.writeAll(signature.rawSpan, at: start)
        }
        start += part.byteCount
      }
    } catch {
      throw .output(path: output, error)
    }
  }
}
