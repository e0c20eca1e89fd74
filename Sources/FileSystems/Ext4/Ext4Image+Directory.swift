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

  /// One name of a directory; nil when it is not there. The directory is read as a whole, and kept until another one is read.
  public func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName? {
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
        for index in names.indices {
          let (name, kind) = (names[index], try inode(names[index].nid).kind)
          names[index] = FileSystemName(name: name.name, nid: name.nid, number: name.number, kind: kind)
        }
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

  private func requireParent(_ parent: UInt64, _ found: UInt64) throws(FileSystemError) {
    guard parent == found else {
      throw refusal(.directory, expected: "`..` as directory \(parent)", found: "directory \(found)")
    }
  }

  private func readBlocks(
    _ directory: FileSystemInode, _ raw: Ext4Inode, into list: inout NameList
  ) throws(FileSystemError) {
    let blockSize = superblock.blockSize
    guard directory.size > 0, directory.size.isMultiple(of: UInt64(blockSize)) else {
      throw refusal(.directory, expected: "whole blocks of \(blockSize) bytes", found: "\(directory.size) bytes")
    }
    let extents = try extents(of: directory, raw, limit: .directory, limits.directoryBytes)
    if let hole = extents.first(where: { $0.imageOffset == nil }) {
      throw refusal(.directory, expected: "a directory without holes", found: "one at byte \(hole.fileOffset)")
    }
    /// Blocks that are read together.
    let pieceBytes = UInt64(16 * blockSize)
    var start: UInt64 = 0
    while start < directory.size {
      let piece = try blocks.bytes(
        of: extents, in: start..<min(start + pieceBytes, directory.size), byteCount: byteCount, format: .ext4)
      for position in stride(from: 0, to: piece.count, by: blockSize) {
        let block = DirectoryBytes(
          bytes: Array(piece[position..<position + blockSize]), position: start + UInt64(position))
        try read(block, of: directory, raw, into: &list)
      }
      start += UInt64(piece.count)
    }
  }

  /// Reads a block of names, or skips one of hashes: to who knows nothing of those it is a block without names
  /// (fs/ext4/namei.c, __ext4_read_dirblock).
  private func read(
    _ block: DirectoryBytes, of directory: FileSystemInode, _ raw: Ext4Inode, into list: inout NameList
  ) throws(FileSystemError) {
    let isIndexed = raw.flags.contains(.indexed)
    let isIndex = isIndexed && (block.position == 0 || block.recordLength(at: 0) == superblock.blockSize)
    guard let seed = superblock.checksumSeed else {
      return try list.add(block, end: superblock.blockSize, superblock)
    }
    let ownSeed = raw.checksumSeed(directory.nid, seed)
    if isIndex {
      guard let (computed, stored) = block.indexChecksums(seed: ownSeed) else {
        throw refusal(.directory, expected: "a block of hashes", found: "another one at byte \(block.position)")
      }
      try requireChecksum(computed, stored, of: "hashes of a directory", at: block.position)
      return try list.add(block, end: superblock.blockSize, superblock)
    }
    let end = superblock.blockSize - 12
    try requireChecksum(
      CRC32C.checksum(Array(block.bytes[..<end]), from: ownSeed), block.leafChecksum(at: end),
      of: "names of a directory",
      at: block.position)
    try list.add(block, end: end, superblock)
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

/// A block of a directory.
private struct DirectoryBytes {
  let bytes: [UInt8]
  /// Bytes from the start of the directory.
  let position: UInt64

  /// Bytes up to the next entry. Where a block has 64 KiB, two values stand for all of it (ext4_rec_len_from_disk).
  func recordLength(at place: Int) -> Int? {
    guard let length = (try? bytes.rawSpan.u16(at: place + 4)).map({ Int($0) }) else { return nil }
    guard bytes.count >= 1 << 16 else { return length }
    return length == 65535 || length == 0 ? 1 << 16 : length & 65532 | (length & 3) << 16
  }

  /// The checksum in the last twelve bytes, which pose as an entry without a name.
  func leafChecksum(at end: Int) -> UInt32? {
    let span = bytes.rawSpan
    guard (try? span.u32(at: end)) == 0, (try? span.u16(at: end + 4)) == 12, (try? span.u8(at: end + 6)) == 0,
      (try? span.u8(at: end + 7)) == 0xde
    else { return nil }
    return try? span.u32(at: end + 8)
  }

  /// The checksum that a block of hashes should have, and the one behind its last possible entry (ext4_dx_csum).
  func indexChecksums(seed: UInt32) -> (computed: UInt32, stored: UInt32)? {
    // Of the first block `.` and `..` and a description come before the hashes, of others an entry without a name.
    let start = recordLength(at: 0) == 12 ? 32 : 8
    let span = bytes.rawSpan
    guard let limit = (try? span.u16(at: start)).map({ Int($0) }),
      let count = (try? span.u16(at: start + 2)).map({ Int($0) }),
      count <= limit, let reserved = try? span.slice(at: start + 8 * limit, count: 4).copyBytes(),
      let stored = try? span.u32(at: start + 8 * limit + 4),
      let hashed = try? span.slice(at: 0, count: start + 8 * count)
    else { return nil }
    let computed = CRC32C.checksum(hashed.copyBytes() + reserved + [0, 0, 0, 0], from: seed)
    return (computed, stored)
  }
}

/// The names of a directory while they are gathered.
private struct NameList {
  let directory: UInt64
  let limit: Int
  private(set) var names: [FileSystemName] = []
  var dot: UInt64?
  var dotDot: UInt64?

  init(directory: UInt64, limit: Int) {
    self.directory = directory
    self.limit = limit
  }

  /// Takes the entries of a block (fs/ext4/dir.c, __ext4_check_dir_entry).
  ///
  /// - Parameter end: where they end in it.
  mutating func add(_ block: DirectoryBytes, end: Int, _ superblock: Ext4Superblock) throws(FileSystemError) {
    func refuse(_ check: FileSystemError.Check, _ expected: String, _ found: String) -> FileSystemError {
      FileSystemError(
        check, expected: expected, found: "\(found), in the block at byte \(block.position) of the directory",
        format: .ext4)
    }
    let span = block.bytes.rawSpan
    var place = 0
    while place < end {
      guard let number = try? span.u32(at: place), let length = block.recordLength(at: place),
        let nameLength = (try? span.u8(at: place + 6)).map({ Int($0) }), let type = try? span.u8(at: place + 7),
        length >= 12, length.isMultiple(of: 4), length >= (8 + nameLength + 3) & ~3, length <= end - place
      else { throw refuse(.directory, "entries of 12 bytes or more up to byte \(end)", "another one at byte \(place)") }
      defer { place += length }
      guard number != 0 else { continue }
      let bytes = Array(block.bytes[place + 8..<place + 8 + nameLength])
      if bytes == [UInt8(ascii: ".")], dot == nil {
        dot = UInt64(number)
      } else if bytes == Array("..".utf8), dotDot == nil {
        dotDot = UInt64(number)
      } else {
        guard let name = FileSystemName.text(bytes) else {
          throw refuse(
            .directory,
            "a name of 1 to \(FileSystemLimits.nameBytes) bytes of UTF-8 without `/` and NUL, not `.` or `..` twice",
            "hexadecimal \(Hex.encode(Array(bytes.prefix(64))))")
        }
        guard names.count < limit else { throw refuse(.limit, "at most \(limit) names in a directory", "more") }
        // Without the feature the byte is a part of the length, and zero.
        let hasType = superblock.incompatible.contains(.fileType)
        guard let kind = hasType ? FileSystemInode.Kind(ext4: type) : .regular, hasType || type == 0 else {
          throw refuse(.directory, "a file type of 1 to 7", "type \(type) of `\(name)`")
        }
        names.append(FileSystemName(name: name, nid: UInt64(number), number: UInt64(number), kind: kind))
      }
    }
  }
}

extension FileSystemInode.Kind {
  /// `EXT4_FT_*` (fs/ext4/ext4.h).
  fileprivate init?(ext4 type: UInt8) {
    // The numbers are those of EROFS, which took them from here.
    self.init(rawValue: type)
  }
}
