import Base
import ImageFormat
import Verity

/// What opening an image reads before anything is verified: partition tables, superblocks, the records of signatures and root
/// hashes, and what the kernel says of a volume.
///
/// An input begins with the disk's size (eight bytes), how many of its bytes are the disk's end (two), and what is made right
/// (one): checksums of the partition table's first and second copy. Between beginning and end there are zeros.
enum DiskTarget {
  private static let headerSize = 11
  /// Bytes of a tree that is checked block by block.
  private static let verifyLimit: UInt64 = 1 << 20

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    var isTaken = try TextRecords.check(bytes)
    guard bytes.count > headerSize else { return isTaken }
    let size = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let tail = min(Int(bytes[8]) | Int(bytes[9]) << 8, bytes.count - headerSize)
    let content = bytes[headerSize...]
    var disk = SparseDisk(head: Array(content.dropLast(tail)), tail: Array(content.suffix(tail)), size: size >> 1)
    for copy in PartitionTableSums.allCases where bytes[10] & copy.rawValue != 0 { copy.repair(&disk) }
    if try checkTable(disk) { isTaken = true }
    if try checkAppended(disk) { isTaken = true }
    if try checkSuperblock(Array(content)) { isTaken = true }
    return isTaken
  }

  // MARK: - Partitions

  private static func checkTable(_ disk: SparseDisk) throws(BrokenPromise) -> Bool {
    try accepts {
      guard let table = try PartitionTable.read(from: disk) else { throw LayoutError.noFileSystem(byteCount: 0) }
      let sorted = table.partitions.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
      for range in sorted {
        try require(range.upperBound <= disk.byteCount && !range.isEmpty, "partitions lie on the disk")
        try require(
          range.lowerBound.isMultiple(of: table.sectorSize) && range.upperBound.isMultiple(of: table.sectorSize),
          "partitions are of whole sectors")
      }
      try require(
        zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }, "no partition overlaps another")
      if let fault = table.secondCopyFault { try requireExplained(fault.diagnostic) }
      try checkWriting(table, disk)
      try accepts { try checkImage(DiscoverableImage(table), disk) }
    }
  }

  /// The parts of a discoverable image, as opening it reads them.
  private static func checkImage(_ image: DiscoverableImage, _ disk: SparseDisk) throws {
    guard let data = window(disk, image.data), let tree = window(disk, image.verity) else {
      throw BrokenPromise("partitions lie on the disk")
    }
    _ = DiskLayout.fileSystemFormat(of: data)
    let layout = try DiskLayout.separate(data: data, hashes: tree)
    try require(layout.parameters.dataByteCount <= data.byteCount, "the data lie in their partition")
    try require(layout.treeEnd <= tree.byteCount, "the tree lies in its partition")
    guard layout.treeEnd <= verifyLimit, data.byteCount <= verifyLimit else { return }
    let top = try DiskLayout.topBlock(layout, data: data, hashes: tree)
    try image.requireUUIDs(of: top.digest)
  }

  private static func window(_ disk: SparseDisk, _ partition: PartitionTable.Partition) -> SourceWindow<SparseDisk>? {
    let range = partition.range
    return SourceWindow(disk, from: range.lowerBound, byteCount: range.upperBound - range.lowerBound)
  }

  /// Partitions that were read are written and read again.
  private static func checkWriting(_ table: PartitionTable, _ disk: SparseDisk) throws(BrokenPromise) {
    let reserved = NewPartitionTable.tailByteCount
    guard table.sectorSize == 512, table.partitions.count <= 128, disk.byteCount > 4 * reserved else { return }
    let size = disk.byteCount / 512 * 512
    let usable = reserved + 1024..<size - reserved - 512
    let partitions = table.partitions.filter {
      $0.range.lowerBound >= usable.lowerBound && $0.range.upperBound <= usable.upperBound
        && $0.type.bytes.contains { $0 != 0 }
    }
    let written = NewPartitionTable(
      uuid: VolumeUUID([1]),
      partitions.map { .init(name: "p", type: $0.type, uuid: $0.uuid, range: $0.range, attributes: $0.attributes) },
      byteCount: size)
    let copy = SparseDisk(head: written.head, tail: written.tail, size: size)
    let again = try keep("a table that was written can be read") { () throws(LayoutError) in
      try PartitionTable.read(from: copy)
    }
    try require(again?.partitions == partitions, "partitions come back as they were written")
    try require(again?.secondCopyFault == nil, "so does the second copy: \(String(describing: again?.secondCopyFault))")
  }

  // MARK: - Superblocks

  private static func checkAppended(_ disk: SparseDisk) throws(BrokenPromise) -> Bool {
    _ = DiskLayout.fileSystemFormat(of: disk)
    return try accepts {
      let layout = try DiskLayout.appended(in: disk)
      try require(layout.treeEnd == disk.byteCount, "every byte of an image is accounted for")
      guard layout.treeEnd <= verifyLimit else { return }
      let top = try DiskLayout.topBlock(layout, data: disk, hashes: disk)
      let report = try layout.verify(data: disk, hashes: disk, rootHash: top.digest, threads: .one)
      let device = try VerifiedDevice(disk, layout: layout, rootHash: top.digest, top: top)
      var holds = true
      for block in 0..<device.blockCount { if (try? device.prove(block..<block + 1)) == nil { holds = false } }
      try require(report.isSound == holds, "a device verifies the blocks that were found sound")
      let other = try unwrap(
        Digest(top.digest.algorithm, bytes: top.digest.bytes.map { ~$0 }), "a digest of the same length is one")
      let wrong = try layout.verify(data: disk, hashes: disk, rootHash: other, threads: .one)
      try require(!wrong.isSound, "an image verifies against its own root hash only")
    }
  }

  private static func checkSuperblock(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    try accepts {
      let superblock = try Superblock(parsing: bytes.rawSpan)
      try require(
        superblock.serialized() == Array(bytes.prefix(Superblock.byteCount)), "a superblock comes back as it was read")
      let layout = try VerityLayout(superblock: superblock, placement: .separate, superblockOffset: 0)
      try require(layout.geometry.levels.count <= 64, "a tree has few levels")
    }
  }
}
