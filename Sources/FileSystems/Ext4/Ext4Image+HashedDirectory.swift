internal import Base
internal import Verity

/// Directories whose names are found by their hashes (fs/ext4/namei.c, dx_probe): a tree of blocks of hashes over blocks of names.
///
/// The kernel finds a name by its hash and lists a directory without, so that a name that lies where its hash does not lead is
/// listed and not found. Here such a directory is refused.
extension Ext4Image where Blocks: ~Copyable {
  /// How a directory's names are hashed; nil where it has no index, or one that is not known here.
  func index(of directory: FileSystemInode, _ raw: Ext4Inode) throws(FileSystemError) -> Ext4Index? {
    guard raw.flags.contains(.indexed), superblock.compatible.contains(.indexedDirectories),
      !raw.flags.contains(.inlineData), directory.size > UInt64(superblock.blockSize),
      let isUnsigned = superblock.hashesUnsignedBytes
    else { return nil }
    let extents = try directoryExtents(of: directory, raw)
    let root = try directoryBlock(0, of: directory, raw, extents, isIndex: true)
    let info = root.bytes.rawSpan
    guard let version = try? info.u8(at: 28), let length = try? info.u8(at: 29), let levels = try? info.u8(at: 30),
      let flags = try? info.u8(at: 31), let function = Ext4NameHash.Function(rawValue: version), length == 8, flags == 0
    else { return nil }
    // `EXT4_HTREE_LEVEL`.
    let mostLevels = superblock.incompatible.contains(.largeDirectories) ? 3 : 2
    guard levels < mostLevels else {
      throw refusal(.directory, expected: "at most \(mostLevels) levels of hashes", found: "\(Int(levels) + 1)")
    }
    return Ext4Index(
      hash: Ext4NameHash(function: function, isUnsigned: isUnsigned, seed: superblock.hashSeed), levels: Int(levels),
      extents: extents, root: try entries(of: root, at: 32))
  }

  /// Looks for a name in the blocks of names that its hash leads to.
  func find(
    _ wanted: [UInt8], in directory: FileSystemInode, _ raw: Ext4Inode, _ index: Ext4Index
  ) throws(FileSystemError) -> FileSystemName? {
    var visited: Set<UInt64> = [0]
    return try find(
      wanted, hash: index.hash.hash(of: wanted), below: index.root, levels: index.levels, of: directory, raw, index,
      &visited)
  }

  private func find(
    _ wanted: [UInt8], hash: UInt32, below entries: [Ext4Index.Entry], levels: Int, of directory: FileSystemInode,
    _ raw: Ext4Inode, _ index: Ext4Index, _ visited: inout Set<UInt64>
  ) throws(FileSystemError) -> FileSystemName? {
    var place = (entries.firstIndex { $0.hash > hash } ?? entries.count) - 1
    while place < entries.count {
      let block = try directoryBlock(
        entries[place].block, of: directory, raw, index.extents, isIndex: levels > 0, &visited)
      if levels > 0 {
        let below = try self.entries(of: block, at: 8)
        if let name = try find(
          wanted, hash: hash, below: below, levels: levels - 1, of: directory, raw, index, &visited)
        {
          return name
        }
      } else {
        var list = NameList(directory: directory.nid, limit: limits.entries)
        try list.add(block, end: leafEnd, superblock)
        if let name = list.names.first(where: { $0.name.utf8.elementsEqual(wanted) }) { return try typed(name) }
      }
      // Names of one hash may go on in the next block, whose own then has the lowest bit set.
      place += 1
      guard place < entries.count, entries[place].hash & ~1 == hash else { return nil }
    }
    return nil
  }

  /// Which hashes the names in each block of names may have: `first` with the lowest bit cleared, up to what is below `end`.
  func leaves(
    of directory: FileSystemInode, _ raw: Ext4Inode, _ index: Ext4Index
  ) throws(FileSystemError) -> [UInt64: Range<UInt64>] {
    var leaves: [UInt64: Range<UInt64>] = [:]
    var visited: Set<UInt64> = [0]
    try add(index.root, end: 1 << 32, levels: index.levels, of: directory, raw, index, to: &leaves, &visited)
    return leaves
  }

  private func add(
    _ entries: [Ext4Index.Entry], end: UInt64, levels: Int, of directory: FileSystemInode, _ raw: Ext4Inode,
    _ index: Ext4Index, to leaves: inout [UInt64: Range<UInt64>], _ visited: inout Set<UInt64>
  ) throws(FileSystemError) {
    for (place, entry) in entries.enumerated() {
      let next = place + 1 < entries.count ? UInt64(entries[place + 1].hash) : end
      if levels > 0 {
        let block = try directoryBlock(entry.block, of: directory, raw, index.extents, isIndex: true, &visited)
        var below = try self.entries(of: block, at: 8)
        // The first has no hash of its own.
        below[0].hash = entry.hash
        try add(below, end: next, levels: levels - 1, of: directory, raw, index, to: &leaves, &visited)
      } else {
        let first = UInt64(entry.hash & ~1)
        guard first < next, visited.insert(entry.block).inserted else { throw disordered(entry) }
        leaves[entry.block] = first..<next
      }
    }
  }

  /// Reads the hashes of a block, in their order.
  ///
  /// - Parameter start: where they begin; in the place of the first's hash is how many there are.
  private func entries(of block: DirectoryBytes, at start: Int) throws(FileSystemError) -> [Ext4Index.Entry] {
    let span = block.bytes.rawSpan
    let most = (superblock.blockSize - start - (superblock.checksumSeed == nil ? 0 : 8)) / 8
    guard let limit = try? span.u16(at: start), let count = try? span.u16(at: start + 2), Int(limit) == most,
      1...limit ~= count
    else {
      throw refusal(
        .directory, expected: "1 to \(most) hashes in the block at byte \(block.position) of the directory",
        found: "another number of them")
    }
    var entries: [Ext4Index.Entry] = []
    for place in 0..<Int(count) {
      guard let hash = place == 0 ? 0 : try? span.u32(at: start + 8 * place),
        let number = try? span.u32(at: start + 8 * place + 4)
      else { break }
      // The upper bits are kept for something else (dx_get_block).
      let entry = Ext4Index.Entry(hash: hash, block: UInt64(number & 0x0fff_ffff))
      guard entries.last.map({ $0.hash <= entry.hash }) ?? true else { throw disordered(entry) }
      entries.append(entry)
    }
    return entries
  }

  private func disordered(_ entry: Ext4Index.Entry) -> FileSystemError {
    refusal(
      .directory, expected: "hashes in their order, each over a block of its own",
      found: "hash \(String(entry.hash, radix: 16)) over block \(entry.block) of the directory")
  }

  /// A block of a directory that was not visited before.
  private func directoryBlock(
    _ number: UInt64, of directory: FileSystemInode, _ raw: Ext4Inode, _ extents: FileExtents, isIndex: Bool,
    _ visited: inout Set<UInt64>
  ) throws(FileSystemError) -> DirectoryBytes {
    guard visited.insert(number).inserted else {
      throw refusal(.directory, expected: "blocks that lie once in the index", found: "block \(number) twice")
    }
    return try directoryBlock(number, of: directory, raw, extents, isIndex: isIndex)
  }
}

/// The index of a directory.
struct Ext4Index {
  /// From which hash on names are below a block.
  struct Entry {
    var hash: UInt32
    /// Blocks from the directory's start.
    let block: UInt64
  }

  let hash: Ext4NameHash
  /// Levels of blocks of hashes below the root.
  let levels: Int
  let extents: FileExtents
  let root: [Entry]
}
