internal import Base

extension DirectoryTree.Directory {
  /// Bytes of a `struct erofs_dirent` (fs/erofs/erofs_fs.h).
  private static let entrySize = 12

  /// The entries of each of its blocks: as many as fit with their names.
  private var blocks: [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = 0
    var used = 0
    for index in entries.indices {
      let size = Self.entrySize + entries[index].name.count
      if used + size > BlockStream.blockSize {
        blocks.append(start..<index)
        (start, used) = (index, 0)
      }
      used += size
    }
    return blocks + [start..<entries.count]
  }

  private func size(of block: Range<Int>) -> Int {
    entries[block].reduce(0) { $0 + Self.entrySize + $1.name.count }
  }

  /// Bytes of its contents: whole blocks, and what the last one has.
  var byteCount: Int {
    let blocks = blocks
    return (blocks.count - 1) * BlockStream.blockSize + (blocks.last.map(size) ?? 0)
  }

  /// Its contents: in each block the entries, then their names. The last name of a block ends at a NUL or with the
  /// block (fs/erofs/dir.c).
  var contents: [UInt8] {
    var contents: [UInt8] = []
    contents.reserveCapacity(entries.count * 32)
    for block in blocks {
      contents += repeatElement(
        0, count: (BlockStream.blockSize - contents.count % BlockStream.blockSize) % BlockStream.blockSize)
      var nameOffset = block.count * Self.entrySize
      for entry in entries[block] {
        contents.appendLittleEndian(entry.nid)
        contents.appendLittleEndian(UInt16(truncatingIfNeeded: nameOffset))  // below a block's size
        contents.append(entry.kind.rawValue)
        contents.append(0)
        nameOffset += entry.name.count
      }
      for entry in entries[block] { contents += entry.name }
    }
    return contents
  }
}
