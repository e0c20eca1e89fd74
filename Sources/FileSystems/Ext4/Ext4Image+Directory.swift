internal import Base
internal import Verity

extension Ext4Image where Blocks: ~Copyable {
  /// Names that are handed out at a time.
  private static var pieceCount: Int { 1024 }

  public func nextNames(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]? {
    let directory = progress.directory
    let names = try names(of: directory, parent: progress.parent)
    guard progress.count < names.count else { return nil }
    let piece = names[progress.count..<min(progress.count + Self.pieceCount, names.count)]
    progress.count += piece.count
    return Array(piece)
  }

  /// One name of a directory; nil when it is not there. Of a directory with an index so much is read as its hash leads to; of
  /// others all, which is kept until another one is read: the format has no order, and no directory is larger than the limits.
  public func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName? {
    if cache.directory(directory.nid) == nil, directory.kind == .directory {
      do throws(FileSystemError) {
        let raw = try located(directory.nid).raw
        if let unread = unread(raw) { throw unread }
        if let index = try index(of: directory, raw) { return try find(wanted, in: directory, raw, index) }
      } catch {
        throw error.at(nid: directory.nid)
      }
    }
    let names = try names(of: directory, parent: nil)
    var (first, last) = (0, names.count)
    while first < last {
      let middle = first + (last - first) / 2
      if names[middle].name.utf8.lexicographicallyPrecedes(wanted) { first = middle + 1 } else { last = middle }
    }
    return first < names.count && names[first].name.utf8.elementsEqual(wanted) ? names[first] : nil
  }

  /// The names in bytewise order. On disk they have none, or that of their hashes.
  ///
  /// - Parameter parent: the directory that `..` has to lead to, where it is known.
  private func names(of directory: FileSystemInode, parent: UInt64?) throws(FileSystemError) -> [FileSystemName] {
    do throws(FileSystemError) {
      if let known = cache.directory(directory.nid) {
        if let parent { try requireParent(parent, known.parent) }
        return known.names
      }
      guard directory.kind == .directory else { throw wrongKind(directory, expected: .directory) }
      let raw = try located(directory.nid).raw
      if let unread = unread(raw) { throw unread }
      var list = NameList(directory: directory.nid, limit: limits.entries)
      if raw.flags.contains(.inlineData) {
        try readInline(directory, raw, into: &list)
      } else {
        try readBlocks(directory, raw, into: &list)
      }
      guard list.dot == directory.nid, let found = list.dotDot else {
        throw refusal(
          .directory, expected: "`.` as directory \(directory.nid), and `..`",
          found: "\(list.dot.map { "\($0)" } ?? "nothing") and \(list.dotDot.map { "\($0)" } ?? "nothing")")
      }
      if let parent { try requireParent(parent, found) }
      var names = list.names
      if !superblock.incompatible.contains(.fileType) {
        for index in names.indices { names[index] = try typed(names[index]) }
      }
      names.sort { $0.name.precedesBytewise($1.name) }
      for (one, other) in zip(names, names.dropFirst()) where one.name.utf8.elementsEqual(other.name.utf8) {
        throw refusal(.directory, expected: "each name once", found: "`\(one.name)` twice")
      }
      cache.keep(Ext4Cache.Directory(nid: directory.nid, parent: found, names: names))
      return names
    } catch {
      throw error.at(nid: directory.nid)
    }
  }

  /// The name with the kind of its inode, where the directory does not say it.
  func typed(_ name: FileSystemName) throws(FileSystemError) -> FileSystemName {
    guard !superblock.incompatible.contains(.fileType) else { return name }
    return FileSystemName(name: name.name, nid: name.nid, number: name.number, kind: try inode(name.nid).kind)
  }

  private func requireParent(_ parent: UInt64, _ found: UInt64) throws(FileSystemError) {
    guard parent == found else {
      throw refusal(.directory, expected: "`..` as directory \(parent)", found: "directory \(found)")
    }
  }

  /// Where the blocks of a directory are.
  func directoryExtents(of directory: FileSystemInode, _ raw: Ext4Inode) throws(FileSystemError) -> FileExtents {
    let blockSize = superblock.blockSize
    guard directory.size > 0, directory.size.isMultiple(of: UInt64(blockSize)) else {
      throw refusal(.directory, expected: "whole blocks of \(blockSize) bytes", found: "\(directory.size) bytes")
    }
    let extents = try extents(of: directory, raw, limit: .directory, limits.directoryBytes)
    if let hole = extents.first(where: { $0.imageOffset == nil }) {
      throw refusal(.directory, expected: "a directory without holes", found: "one at byte \(hole.fileOffset)")
    }
    return extents
  }

  private func readBlocks(
    _ directory: FileSystemInode, _ raw: Ext4Inode, into list: inout NameList
  ) throws(FileSystemError) {
    let blockSize = superblock.blockSize
    let extents = try directoryExtents(of: directory, raw)
    let index = try index(of: directory, raw)
    var leaves: [UInt64: Range<UInt64>] = [:]
    if let index { leaves = try self.leaves(of: directory, raw, index) }
    /// Blocks that are read together.
    let pieceBytes = UInt64(16 * blockSize)
    var start: UInt64 = 0
    while start < directory.size {
      let piece = try blocks.bytes(
        of: extents, in: start..<min(start + pieceBytes, directory.size), byteCount: byteCount, format: .ext4)
      for position in stride(from: 0, to: piece.count, by: blockSize) {
        let block = DirectoryBytes(
          bytes: Array(piece[position..<position + blockSize]), position: start + UInt64(position))
        let before = list.names.count
        let isIndexed = raw.flags.contains(.indexed)
        let isIndex = isIndexed && (block.position == 0 || block.recordLength(at: 0) == blockSize)
        try check(block, isIndex: isIndex, of: directory, raw)
        try list.add(block, end: isIndex ? blockSize : leafEnd, superblock)
        guard let index, before < list.names.count else { continue }
        let range = leaves[block.position / UInt64(blockSize)] ?? 0..<0
        for name in list.names[before...] where !range.contains(UInt64(index.hash.hash(of: Array(name.name.utf8)))) {
          throw refusal(
            .directory, expected: "names where their hashes lead",
            found: "`\(name.name)` in the block at byte \(block.position) of the directory")
        }
      }
      start += UInt64(piece.count)
    }
  }

  /// One block of a directory, its checksum checked.
  func directoryBlock(
    _ number: UInt64, of directory: FileSystemInode, _ raw: Ext4Inode, _ extents: FileExtents, isIndex: Bool
  ) throws(FileSystemError) -> DirectoryBytes {
    let blockSize = UInt64(superblock.blockSize)
    guard number < directory.size / blockSize else {
      throw refusal(
        .directory, expected: "a directory of \(directory.size / blockSize) blocks",
        found: "block \(number) in its index")
    }
    let start = number * blockSize
    let bytes = try blocks.bytes(of: extents, in: start..<start + blockSize, byteCount: byteCount, format: .ext4)
    let block = DirectoryBytes(bytes: bytes, position: start)
    try check(block, isIndex: isIndex, of: directory, raw)
    return block
  }

  /// Where names end in a block: before its checksum.
  var leafEnd: Int { superblock.checksumSeed == nil ? superblock.blockSize : superblock.blockSize - 12 }

  /// Checks the checksum of a block.
  ///
  /// - Parameter isIndex: whether it holds hashes: to who knows nothing of those it is a block without names
  ///   (fs/ext4/namei.c, __ext4_read_dirblock).
  private func check(
    _ block: DirectoryBytes, isIndex: Bool, of directory: FileSystemInode, _ raw: Ext4Inode
  ) throws(FileSystemError) {
    guard let seed = superblock.checksumSeed else { return }
    let ownSeed = raw.checksumSeed(directory.nid, seed)
    if isIndex {
      guard let (computed, stored) = block.indexChecksums(seed: ownSeed) else {
        throw refusal(.directory, expected: "a block of hashes", found: "another one at byte \(block.position)")
      }
      return try requireChecksum(computed, stored, of: "hashes of a directory", at: block.position)
    }
    try requireChecksum(
      CRC32C.checksum(Array(block.bytes[..<leafEnd]), from: ownSeed), block.leafChecksum(at: leafEnd),
      of: "names of a directory", at: block.position)
  }

  /// Names in the inode: the parent's number and names in the map of blocks, more names in an attribute (fs/ext4/inline.c).
  private func readInline(
    _ directory: FileSystemInode, _ raw: Ext4Inode, into list: inout NameList
  ) throws(FileSystemError) {
    guard superblock.incompatible.contains(.inlineData), let parent = try? raw.map.rawSpan.u32(at: 0) else {
      throw refusal(.inode, expected: "no names in an inode without INLINE_DATA", found: "some")
    }
    (list.dot, list.dotDot) = (directory.nid, UInt64(parent))
    let first = DirectoryBytes(bytes: Array(raw.map[4...]), position: 4)
    try list.add(first, end: first.bytes.count, superblock)
    guard directory.size > UInt64(raw.map.count) else { return }
    let rest = DirectoryBytes(bytes: try inlineAttribute(of: directory, raw), position: UInt64(raw.map.count))
    guard directory.size == UInt64(raw.map.count + rest.bytes.count) else {
      throw refusal(
        .directory, expected: "\(directory.size) bytes", found: "\(raw.map.count + rest.bytes.count) in the inode")
    }
    try list.add(rest, end: rest.bytes.count, superblock)
  }
}
