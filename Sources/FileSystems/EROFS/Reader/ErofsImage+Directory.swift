internal import Base
internal import Verity

extension ErofsImage where Blocks: ~Copyable {
  /// Blocks of a directory that are read at a time.
  private static var pieceBlockCount: Int { 8 }

  /// The next names of a directory in bytewise order, without `.` and `..`; nil behind the last.
  ///
  /// The kernel looks names up by bisection, so an unsorted directory would show one list and resolve to another; it
  /// is refused, as are repeated names and names that are not UTF-8.
  public func nextNames(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]? {
    let directory = progress.directory
    guard directory.kind == .directory else { throw wrongKind(directory, expected: .directory) }
    guard progress.position < directory.size else {
      // Others are checked before their last names are handed out.
      if directory.size == 0 { try progress.checkDots() }
      return nil
    }
    // No directory is larger than the limit, so neither sum overflows.
    let contents = try nextPiece(of: &progress)
    var names: [FileSystemName] = []
    var start = 0
    while start < contents.count {
      let end = min(start + superblock.blockSize, contents.count)
      let block = try DirectoryBlock(
        Array(contents[start..<end]), at: Int(progress.position) + start, of: directory.nid)
      try progress.add(block, to: &names, limit: limits.entries)
      start = end
    }
    progress.position += UInt64(contents.count)
    if progress.position >= directory.size { try progress.checkDots() }
    return names
  }

  private func nextPiece(of progress: inout DirectoryProgress) throws(FileSystemError) -> [UInt8] {
    let directory = progress.directory
    let known: DirectoryProgress.Contents
    if let contents = progress.contents {
      known = contents
    } else if let extents = try extents(of: directory) {
      known = .extents(extents)
    } else {
      let bytes = try contents(of: directory, limit: limits.directoryBytes)
      guard UInt64(bytes.count) == directory.size else {
        throw FileSystemError(
          .directory, nid: directory.nid, expected: "\(directory.size) bytes", found: "\(bytes.count)")
      }
      known = .whole(bytes)
    }
    progress.contents = known
    let end = min(progress.position + UInt64(Self.pieceBlockCount * superblock.blockSize), directory.size)
    switch known {
    case .extents(let extents): return try bytes(of: extents, in: progress.position..<end)
    case .whole(let bytes): return Array(bytes[Int(progress.position)..<Int(end)])
    }
  }

  /// One name of a directory, found by bisection of its blocks as the kernel does it (fs/erofs/namei.c); nil when it
  /// is not there, and for `.` and `..`.
  ///
  /// Reads the blocks that the bisection meets and nothing else, so the cost grows with the logarithm of the
  /// directory's size. Only the last of them is checked as a whole: what is found is what the kernel finds, whatever
  /// the others hold.
  public func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName? {
    guard directory.kind == .directory else { throw wrongKind(directory, expected: .directory) }
    // What is compressed is decompressed once: a bisection would do it at each step.
    let extents = try extents(of: directory)
    let whole = extents == nil ? try contents(of: directory, limit: limits.directoryBytes) : []
    let size = Int(directory.size)
    var range = 0..<(size + superblock.blockSize - 1) / superblock.blockSize
    var candidate: DirectoryBlock?
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      let start = middle * superblock.blockSize
      let end = min(start + superblock.blockSize, size)
      let part: [UInt8]
      if let extents {
        part = try bytes(of: extents, in: UInt64(start)..<UInt64(end))
      } else {
        part = Array(whole[start..<end])
      }
      let block = try DirectoryBlock(part, at: start, of: directory.nid)
      let first = try block.entry(0)
      if wanted.lexicographicallyPrecedes(block.bytes[first.name]) {
        range = range.lowerBound..<middle
      } else {
        candidate = block
        range = (middle + 1)..<range.upperBound
      }
    }
    return try candidate?.find(wanted)
  }
}

/// One block of a directory: 12-byte entries, then their names; the last name ends at a NUL or with the block
/// (fs/erofs/dir.c).
private struct DirectoryBlock {
  let bytes: [UInt8]
  /// Bytes from the start of the directory.
  let position: Int
  /// The directory's number.
  let nid: UInt64
  /// How many entries there are; at least one.
  let count: Int

  /// An entry whose name has an acceptable size and no byte that a name cannot have.
  struct Entry {
    let nid: UInt64
    /// Where the name is in the block.
    let name: Range<Int>
    let kind: FileSystemInode.Kind
  }

  init(_ bytes: [UInt8], at position: Int, of nid: UInt64) throws(FileSystemError) {
    self.bytes = bytes
    self.position = position
    self.nid = nid
    guard bytes.count >= 12, let namesStart = (try? bytes.rawSpan.u16(at: 8)).map({ Int($0) }) else {
      throw Self.refusal("an entry of 12 bytes", "\(bytes.count) bytes", at: position, of: nid)
    }
    guard namesStart >= 12, namesStart.isMultiple(of: 12), namesStart < bytes.count else {
      throw Self.refusal(
        "names after whole 12-byte entries and before byte \(bytes.count)", "names at byte \(namesStart)", at: position,
        of: nid)
    }
    count = namesStart / 12
  }

  private static func refusal(_ expected: String, _ found: String, at position: Int, of nid: UInt64) -> FileSystemError
  {
    FileSystemError(
      .directory, nid: nid, expected: expected, found: "\(found), in the block at byte \(position) of the directory")
  }

  func refusal(_ expected: String, _ found: String) -> FileSystemError {
    Self.refusal(expected, found, at: position, of: nid)
  }

  func entry(_ index: Int) throws(FileSystemError) -> Entry {
    let span = bytes.rawSpan
    let offset = index * 12
    guard let target = try? span.u64(at: offset), let nameOffset = try? span.u16(at: offset + 8),
      let type = try? span.u8(at: offset + 10), let reserved = try? span.u8(at: offset + 11)
    else { throw refusal("\(count) entries", "\(bytes.count) bytes") }
    let start = Int(nameOffset)
    var end = bytes.count
    if index + 1 < count {
      guard let next = try? span.u16(at: offset + 20) else {
        throw refusal("\(count) entries", "\(bytes.count) bytes")
      }
      end = Int(next)
    }
    guard start < end, end <= bytes.count else {
      throw refusal("names one after another", "entry \(index) at byte \(start), the next at \(end)")
    }
    if index + 1 == count { end = bytes[start..<end].firstIndex(of: 0) ?? end }
    guard 1...FileSystemLimits.nameBytes ~= end - start,
      !bytes[start..<end].contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
    else {
      throw badName(start..<end)
    }
    guard let kind = FileSystemInode.Kind(rawValue: type), reserved == 0 else {
      throw refusal("a file type of 1 to 7", "type \(type), reserved byte \(reserved), of `\(text(start..<end))`")
    }
    return Entry(nid: target, name: start..<end, kind: kind)
  }

  /// The entry with its name as text.
  func named(_ entry: Entry) throws(FileSystemError) -> FileSystemName {
    guard let name = String(validating: bytes[entry.name], as: UTF8.self) else { throw badName(entry.name) }
    return FileSystemName(name: name, nid: entry.nid, number: entry.nid, kind: entry.kind)
  }

  /// Checks the whole block, and returns the entry of that name.
  public func find(_ wanted: [UInt8]) throws(FileSystemError) -> FileSystemName? {
    var found: Entry?
    var previous: Range<Int>?
    for index in 0..<count {
      let entry = try entry(index)
      if let previous { try checkOrder(bytes[previous], entry) }
      previous = entry.name
      if bytes[entry.name].elementsEqual(wanted) { found = entry }
    }
    guard let found, !isDots(found) else { return nil }
    return try named(found)
  }

  /// The kernel bisects, so the names must be in strictly rising order.
  func checkOrder(_ previous: ArraySlice<UInt8>, _ entry: Entry) throws(FileSystemError) {
    guard previous.lexicographicallyPrecedes(bytes[entry.name]) else {
      throw refusal(
        "names in strictly rising order",
        "`\(text(entry.name))` after `\(String(decoding: previous, as: UTF8.self))`")
    }
  }

  /// Whether this is `.` or `..`.
  func isDots(_ entry: Entry) -> Bool {
    entry.name.count <= 2 && bytes[entry.name].allSatisfy { $0 == UInt8(ascii: ".") }
  }

  private func text(_ name: Range<Int>) -> String { String(decoding: bytes[name], as: UTF8.self) }

  private func badName(_ name: Range<Int>) -> FileSystemError {
    let hex = Hex.encode(Array(bytes[name].prefix(64)))
    return refusal(
      "a name of 1 to \(FileSystemLimits.nameBytes) bytes of UTF-8 without `/` and NUL",
      "a name of \(name.count) bytes, hexadecimal \(hex)")
  }
}

extension DirectoryProgress {
  /// Takes the names of the next block.
  ///
  /// - Parameter limit: names that the directory may have in all.
  fileprivate mutating func add(
    _ block: DirectoryBlock, to names: inout [FileSystemName], limit: Int
  ) throws(FileSystemError) {
    for index in 0..<block.count {
      let entry = try block.entry(index)
      let found = try block.named(entry)
      try block.checkOrder(previous[...], entry)
      previous = Array(block.bytes[entry.name])
      if block.isDots(entry) {
        if entry.name.count == 1 { dot = found } else { dotDot = found }
        continue
      }
      guard count < limit else {
        throw FileSystemError(
          .limit, nid: directory.nid, expected: "at most \(limit) names in a directory", found: "more")
      }
      count += 1
      names.append(found)
    }
  }

  /// Checks `.` and `..`, without which the kernel's and this reader's idea of the tree could differ.
  fileprivate func checkDots() throws(FileSystemError) {
    for (name, entry, target) in [(".", dot, directory.nid), ("..", dotDot, parent)] {
      guard let entry, entry.nid == target, entry.kind == .directory else {
        let found = entry.map { "a \($0.kind.name), inode \($0.nid)" } ?? "nothing"
        throw FileSystemError(
          .directory, nid: directory.nid, expected: "`\(name)` as directory \(target)", found: found)
      }
    }
  }
}
