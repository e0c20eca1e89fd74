internal import Base
internal import Verity

/// A place in a table of metadata: a block, and where in what it makes.
struct MetadataPlace: Equatable, Sendable {
  /// Bytes from the start of the image.
  var block: UInt64
  var offset: Int

  /// - Parameters:
  ///   - reference: of an inode; 48 bits, of which the lower 16 are the offset.
  ///   - table: where the table begins; below 2^63.
  init(reference: UInt64, in table: UInt64) {
    self.init(block: table + (reference & 0xffff_ffff_ffff) >> 16, offset: Int(reference & 0xffff))
  }

  init(block: UInt64, offset: Int) {
    self.block = block
    self.offset = offset
  }
}

extension SquashfsImage where Blocks: ~Copyable {
  /// A block of metadata: two bytes with its size and whether it is compressed, then what was stored
  /// (fs/squashfs/block.c, squashfs_read_data).
  ///
  /// - Parameter table: where its table is; it has to lie there as a whole.
  func metadata(at place: UInt64, in table: Range<UInt64>) throws(FileSystemError) -> SquashfsCache.Metadata {
    guard table.contains(place), table.upperBound - place > 2 else {
      throw refusal(
        .range, at: place, expected: "a block of metadata from byte \(table.lowerBound) to \(table.upperBound)",
        found: "byte \(place)")
    }
    if let known = cache.metadata(at: place) { return known }
    let head = try bytes(at: place, count: 2)
    guard let word = try? head.rawSpan.u16(at: 0) else {
      throw refusal(.range, at: place, expected: "two bytes", found: "the end of the image")
    }
    let size = UInt64(word & 0x7fff)
    guard 1...UInt64(SquashfsSuperblock.metadataSize) ~= size, size <= table.upperBound - place - 2 else {
      throw refusal(
        .range, at: place,
        expected:
          "a block of metadata of 1 to \(SquashfsSuperblock.metadataSize) bytes before byte \(table.upperBound)",
        found: "\(size) bytes")
    }
    let stored = try bytes(at: place + 2, count: Int(size))
    let isStored = word & 0x8000 != 0
    let made = isStored ? stored : try decompressed(stored, at: place, limit: SquashfsSuperblock.metadataSize)
    let block = SquashfsCache.Metadata(place: place, next: place + 2 + size, bytes: made)
    cache.keep(block)
    return block
  }

  /// Reads on in a table: what goes on behind the end of one block is in the next.
  ///
  /// - Parameter place: where to begin; afterwards, where it ended.
  func read(
    _ count: Int, at place: inout MetadataPlace, in table: Range<UInt64>
  ) throws(FileSystemError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      let block = try metadata(at: place.block, in: table)
      if place.offset == SquashfsSuperblock.metadataSize, block.bytes.count == SquashfsSuperblock.metadataSize {
        place = MetadataPlace(block: block.next, offset: 0)
        continue
      }
      guard place.offset < block.bytes.count else {
        throw refusal(
          .range, at: place.block, expected: "metadata from byte \(place.offset) of a block on",
          found: "\(block.bytes.count) bytes in it")
      }
      let end = min(place.offset + count - result.count, block.bytes.count)
      result += block.bytes[place.offset..<end]
      place.offset = end
    }
    return result
  }

  /// An entry of a table whose blocks are found by a list of their places: fragments, identifiers, exports.
  ///
  /// - Parameters:
  ///   - index: of the entry; below what the superblock counts.
  ///   - size: bytes an entry has.
  ///   - list: where the list of blocks is.
  func entry(_ index: UInt64, size: Int, list: UInt64) throws(FileSystemError) -> [UInt8] {
    // No index is above 2^32 and no entry larger than 16 bytes.
    let offset = index * UInt64(size)
    let block = offset / UInt64(SquashfsSuperblock.metadataSize)
    let word = try bytes(at: list + 8 * block, count: 8)
    guard let start = try? word.rawSpan.u64(at: 0), start >= superblock.directoryTable else {
      throw refusal(
        .range, at: list + 8 * block, expected: "a table behind the directories", found: "a place before them")
    }
    var place = MetadataPlace(block: start, offset: Int(offset % UInt64(SquashfsSuperblock.metadataSize)))
    return try read(size, at: &place, in: superblock.directoryTable..<list)
  }

  /// The user or group of that index.
  func identifier(_ index: UInt16) throws(FileSystemError) -> UInt32 {
    let known: [UInt32]
    if let identifiers = cache.identifiers {
      known = identifiers
    } else {
      var read: [UInt32] = []
      for index in 0..<superblock.identifierCount {
        let bytes = try entry(UInt64(index), size: 4, list: superblock.identifierTable)
        if let value = try? bytes.rawSpan.u32(at: 0) { read.append(value) }
      }
      cache.identifiers = read
      known = read
    }
    guard Int(index) < known.count else {
      throw refusal(.inode, expected: "an identifier below \(known.count)", found: "\(index)")
    }
    return known[Int(index)]
  }
}
