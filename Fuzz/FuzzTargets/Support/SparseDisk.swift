import Base
import ImageFormat

/// A disk of any size: its beginning, its end, and zeros between.
struct SparseDisk: ByteSource, Sendable {
  var head: [UInt8]
  var tail: [UInt8]
  let byteCount: UInt64

  /// Where the two overlap, the beginning counts.
  init(head: [UInt8], tail: [UInt8], size: UInt64) {
    self.head = Array(head.prefix(Int(clamping: size)))
    self.tail = Array(tail.suffix(Int(clamping: size)))
    byteCount = size
  }

  private var tailStart: UInt64 { byteCount - UInt64(tail.count) }

  private func byte(at place: UInt64) -> UInt8 {
    if place < UInt64(head.count) { return head[Int(place)] }
    return place >= tailStart ? tail[Int(place - tailStart)] : 0
  }

  func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
    let needed = buffer.byteCount
    guard offset <= byteCount, UInt64(needed) <= byteCount - offset else {
      throw .endOfSource(offset: offset, needed: needed, byteCount: byteCount)
    }
    buffer.withUnsafeMutableBytes { target in
      for index in 0..<needed { target[index] = byte(at: offset + UInt64(index)) }
    }
  }

  /// Some bytes; nil where the disk has none.
  func bytes(at offset: UInt64, count: Int) -> [UInt8]? {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { return nil }
    return (0..<count).map { byte(at: offset + UInt64($0)) }
  }

  /// Overwrites what is stored; between beginning and end nothing is.
  mutating func write(_ bytes: [UInt8], at offset: UInt64) {
    for (index, byte) in bytes.enumerated() {
      let place = offset + UInt64(index)
      if place < UInt64(head.count) {
        head[Int(place)] = byte
      } else if place >= tailStart, place < byteCount {
        tail[Int(place - tailStart)] = byte
      }
    }
  }
}

/// The checksums of one copy of a partition table. No input that is made at random has right ones.
enum PartitionTableSums: UInt8, CaseIterable {
  case first = 1
  case second = 2

  /// Bytes of entries that are summed.
  private static let entryLimit: UInt64 = 128 * 128

  func repair(_ disk: inout SparseDisk) {
    for sectorSize: UInt64 in [512, 4096] where disk.byteCount >= 4 * sectorSize {
      let place = self == .first ? sectorSize : (disk.byteCount / sectorSize - 1) * sectorSize
      guard let header = disk.bytes(at: place, count: 512), header.starts(with: "EFI PART".utf8) else { continue }
      repair(&disk, header, at: place, sectorSize)
      return
    }
  }

  private func repair(_ disk: inout SparseDisk, _ header: [UInt8], at place: UInt64, _ sectorSize: UInt64) {
    func number(_ range: Range<Int>) -> UInt64 { header[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    var header = header
    let (start, overflow) = number(72..<80).multipliedReportingOverflow(by: sectorSize)
    let (count, size) = (number(80..<84), number(84..<88))
    if !overflow, count <= 1024, size <= 4096, count * size <= Self.entryLimit,
      let entries = disk.bytes(at: start, count: Int(count * size))
    {
      header.storeLittleEndian(CRC32.checksum(entries), at: 88)
    }
    let headerSize = Int(number(12..<16))
    guard (92...512).contains(headerSize) else { return }
    header.replaceSubrange(16..<20, with: [0, 0, 0, 0])
    header.storeLittleEndian(CRC32.checksum(Array(header.prefix(headerSize))), at: 16)
    disk.write(Array(header.prefix(headerSize)), at: place)
  }
}
