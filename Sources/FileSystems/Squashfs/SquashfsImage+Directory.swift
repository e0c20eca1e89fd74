internal import Base
internal import Verity

/// A directory is a row of runs: a header with where the block of inodes is that all names of the run lead to, then up to 256
/// names, sorted (fs/squashfs/dir.c, squashfs_readdir).
extension SquashfsImage where Blocks: ~Copyable {
  /// Names that are read at a time, and those of the run that passes it.
  private static var pieceCount: Int { 256 }

  public func nextNames(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]? {
    do throws(FileSystemError) {
      return try next(&progress)
    } catch {
      throw error.at(nid: progress.directory.nid)
    }
  }

  private func next(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]? {
    let directory = progress.directory
    guard case .directory(let start, _) = try located(directory.nid).layout else {
      throw wrongKind(directory, expected: .directory)
    }
    if progress.position == 0 { try requireSize(of: directory) }
    guard progress.position < directory.size else { return nil }
    var reader = RunReader(
      place: start, left: directory.size - progress.position, table: superblock.directoryRange,
      previous: progress.previous)
    if let place = progress.place { reader.place = place }
    var names: [FileSystemName] = []
    while names.count < Self.pieceCount, reader.left > 0 {
      try readRun(&reader) { name throws(FileSystemError) in
        guard progress.count < limits.entries else {
          throw refusal(.limit, expected: "at most \(limits.entries) names in a directory", found: "more")
        }
        progress.count += 1
        names.append(name)
        return true
      }
    }
    progress.previous = reader.previous
    progress.position = directory.size - reader.left
    progress.place = reader.place
    return names
  }

  private func requireSize(of directory: FileSystemInode) throws(FileSystemError) {
    guard directory.size <= UInt64(limits.directoryBytes) else {
      throw refusal(.limit, expected: limits.allowed(.directory), found: "\(directory.size) bytes")
    }
  }

  /// One name of a directory; nil when it is not there.
  ///
  /// A large directory has an index, by which the kernel skips what comes before the name (fs/squashfs/namei.c,
  /// get_dir_index_using_name). What is found is what the kernel finds.
  public func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName? {
    do throws(FileSystemError) {
      guard case .directory(let start, let index) = try located(directory.nid).layout else {
        throw wrongKind(directory, expected: .directory)
      }
      try requireSize(of: directory)
      var reader = RunReader(place: start, left: directory.size, table: superblock.directoryRange)
      if let index { try skip(to: wanted, index, of: directory, &reader) }
      var found: FileSystemName?
      while reader.left > 0 {
        let goesOn = try readRun(&reader) { name throws(FileSystemError) in
          if name.name.utf8.elementsEqual(wanted) { found = name }
          return found == nil && name.name.utf8.lexicographicallyPrecedes(wanted)
        }
        if !goesOn { break }
      }
      return found
    } catch {
      throw error.at(nid: directory.nid)
    }
  }

  /// Begins at the last block whose first name is not behind the one that is wanted.
  private func skip(
    to wanted: [UInt8], _ index: SquashfsLayout.Index, of directory: FileSystemInode, _ reader: inout RunReader
  ) throws(FileSystemError) {
    let offset = reader.place.offset
    var place = index.place
    for _ in 0..<index.count {
      let table = superblock.inodeTable..<superblock.directoryTable
      let head = try read(12, at: &place, in: table)
      guard let position = try? head.rawSpan.u32(at: 0), let block = try? head.rawSpan.u32(at: 4),
        let size = try? head.rawSpan.u32(at: 8), size < FileSystemLimits.nameBytes + 1
      else {
        throw refusal(.directory, expected: "an index of names of at most 256 bytes", found: "a longer one")
      }
      let name = try read(Int(size) + 1, at: &place, in: table)
      if wanted.lexicographicallyPrecedes(name) { break }
      guard UInt64(position) < directory.size else {
        throw refusal(
          .directory, expected: "an index of places before byte \(directory.size)", found: "byte \(position)")
      }
      reader.left = directory.size - UInt64(position)
      reader.place = MetadataPlace(
        block: superblock.directoryTable + UInt64(block),
        offset: (Int(position) + offset) % SquashfsSuperblock.metadataSize)
    }
  }

  /// Reads a run.
  ///
  /// - Parameter take: called with each name; returns whether the next is wanted.
  /// - Returns: whether all were taken.
  @discardableResult private func readRun(
    _ reader: inout RunReader, _ take: (FileSystemName) throws(FileSystemError) -> Bool
  ) throws(FileSystemError) -> Bool {
    let head = try read(12, of: &reader)
    guard let last = try? head.rawSpan.u32(at: 0), let block = try? head.rawSpan.u32(at: 4),
      let base = try? head.rawSpan.u32(at: 8), last < 256
    else { throw refusal(.directory, expected: "a run of at most 256 names", found: "a longer one") }
    for _ in 0...last {
      let entry = try read(8, of: &reader)
      guard let offset = try? entry.rawSpan.u16(at: 0), let difference = try? entry.rawSpan.u16(at: 2),
        let type = try? entry.rawSpan.u16(at: 4), let size = try? entry.rawSpan.u16(at: 6),
        Int(size) < FileSystemLimits.nameBytes + 1, let kind = FileSystemInode.Kind(squashfs: type)
      else {
        throw refusal(.directory, expected: "a name of at most 256 bytes and a type of 1 to 7", found: "another entry")
      }
      let bytes = try read(Int(size) + 1, of: &reader)
      guard reader.previous.lexicographicallyPrecedes(bytes) else {
        throw refusal(
          .directory, expected: "names in strictly rising order",
          found:
            "`\(String(decoding: bytes, as: UTF8.self))` after `\(String(decoding: reader.previous, as: UTF8.self))`")
      }
      reader.previous = bytes
      guard let name = FileSystemName.text(bytes) else {
        throw refusal(
          .directory,
          expected: "a name of 1 to \(FileSystemLimits.nameBytes) bytes of UTF-8 without `/` and NUL, not `.` or `..`",
          found: "hexadecimal \(Hex.encode(Array(bytes.prefix(64))))")
      }
      let number = UInt64(base &+ UInt32(bitPattern: Int32(Int16(bitPattern: difference))))
      let found = FileSystemName(name: name, nid: UInt64(block) << 16 | UInt64(offset), number: number, kind: kind)
      if !(try take(found)) { return false }
    }
    return true
  }

  private func read(_ count: Int, of reader: inout RunReader) throws(FileSystemError) -> [UInt8] {
    guard UInt64(count) <= reader.left else {
      throw refusal(.directory, expected: "\(count) bytes of the directory", found: "its end")
    }
    reader.left -= UInt64(count)
    return try read(count, at: &reader.place, in: reader.table)
  }
}

/// Where in a directory a reader is.
private struct RunReader {
  var place: MetadataPlace
  /// Bytes up to the directory's end.
  var left: UInt64
  let table: Range<UInt64>
  /// The last name: the next one has to come behind it.
  var previous: [UInt8] = []
}
