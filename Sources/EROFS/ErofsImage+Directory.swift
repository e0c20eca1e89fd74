internal import ByteKit
internal import DMVerity

/// One name in a directory.
public struct ErofsName: Equatable, Sendable {
  /// 1 to 255 bytes of UTF-8 without `/` and NUL.
  public let name: String
  public let nid: UInt64
  /// What the entry says the inode is.
  public let kind: ErofsInode.Kind
}

extension ErofsImage where Blocks: ~Copyable {
  /// The names in a directory in bytewise order, without `.` and `..`.
  ///
  /// The kernel looks names up by bisection, so an unsorted directory would show one list and resolve to another; it
  /// is refused, as are repeated names and names that are not UTF-8.
  ///
  /// - Parameter parent: the directory that holds this one; the root's is itself.
  public func names(in directory: ErofsInode, parent: UInt64) throws(ErofsError) -> [ErofsName] {
    guard directory.kind == .directory else { throw wrongKind(directory, expected: .directory) }
    let contents = try contents(of: directory, limit: limits.directoryBytes)
    var reader = DirectoryReader(nid: directory.nid, limit: limits.entries)
    var start = 0
    while start < contents.count {
      let end = min(start + superblock.blockSize, contents.count)
      try reader.add(Array(contents[start..<end]), at: start)
      start = end
    }
    return try reader.finish(parent: parent)
  }
}

/// Collects a directory's names, block by block.
///
/// A block holds 12-byte entries, then their names; the last name ends at a NUL or with the block (fs/erofs/dir.c).
private struct DirectoryReader {
  let nid: UInt64
  let limit: Int
  private var names: [ErofsName] = []
  private var previous: [UInt8] = []
  private var dot: ErofsName?
  private var dotDot: ErofsName?

  init(nid: UInt64, limit: Int) {
    self.nid = nid
    self.limit = limit
  }

  private struct Entry {
    let nid: UInt64
    let nameOffset: Int
    let type: UInt8
    let reserved: UInt8

    init?(_ block: borrowing RawSpan, index: Int) {
      let offset = index * 12
      guard let nid = try? block.u64(at: offset), let nameOffset = try? block.u16(at: offset + 8),
        let type = try? block.u8(at: offset + 10), let reserved = try? block.u8(at: offset + 11)
      else { return nil }
      self.nid = nid
      self.nameOffset = Int(nameOffset)
      self.type = type
      self.reserved = reserved
    }
  }

  /// - Parameter position: where the block is in the directory, for error messages.
  mutating func add(_ block: [UInt8], at position: Int) throws(ErofsError) {
    let nid = nid
    func refusal(_ expected: String, _ found: String) -> ErofsError {
      ErofsError(
        .directory, nid: nid, expected: expected, found: "\(found), in the block at byte \(position) of the directory")
    }
    guard let first = Entry(block.rawSpan, index: 0) else {
      throw refusal("an entry of 12 bytes", "\(block.count) bytes")
    }
    let namesStart = first.nameOffset
    guard namesStart >= 12, namesStart.isMultiple(of: 12), namesStart < block.count else {
      throw refusal("names after whole 12-byte entries and before byte \(block.count)", "names at byte \(namesStart)")
    }
    let count = namesStart / 12
    for index in 0..<count {
      guard let entry = Entry(block.rawSpan, index: index) else {
        throw refusal("\(count) entries", "\(block.count) bytes")
      }
      var end = block.count
      if index + 1 < count {
        guard let next = Entry(block.rawSpan, index: index + 1) else {
          throw refusal("\(count) entries", "\(block.count) bytes")
        }
        end = next.nameOffset
      }
      guard entry.nameOffset < end, end <= block.count else {
        throw refusal("names one after another", "entry \(index) at byte \(entry.nameOffset), the next at \(end)")
      }
      var bytes = Array(block[entry.nameOffset..<end])
      if index + 1 == count, let terminator = bytes.firstIndex(of: 0) { bytes.removeSubrange(terminator...) }
      try add(bytes, entry, refusal: refusal)
    }
  }

  private mutating func add(
    _ bytes: [UInt8], _ entry: Entry, refusal: (String, String) -> ErofsError
  ) throws(ErofsError) {
    guard 1...255 ~= bytes.count, !bytes.contains(0), !bytes.contains(UInt8(ascii: "/")),
      let name = String(validating: bytes, as: UTF8.self)
    else {
      let hex = Hex.encode(Array(bytes.prefix(64)))
      throw refusal(
        "a name of 1 to 255 bytes of UTF-8 without `/` and NUL", "a name of \(bytes.count) bytes, hexadecimal \(hex)")
    }
    guard previous.lexicographicallyPrecedes(bytes) else {
      throw refusal("names in strictly rising order", "`\(name)` after `\(String(decoding: previous, as: UTF8.self))`")
    }
    guard let kind = ErofsInode.Kind(rawValue: entry.type), entry.reserved == 0 else {
      throw refusal("a file type of 1 to 7", "type \(entry.type), reserved byte \(entry.reserved), of `\(name)`")
    }
    previous = bytes
    let found = ErofsName(name: name, nid: entry.nid, kind: kind)
    switch bytes {
    case [UInt8(ascii: ".")]: dot = found
    case [UInt8(ascii: "."), UInt8(ascii: ".")]: dotDot = found
    default:
      guard names.count < limit else {
        throw ErofsError(.limit, nid: nid, expected: "at most \(limit) names in a directory", found: "more")
      }
      names.append(found)
    }
  }

  /// Checks `.` and `..`, without which the kernel's and this reader's idea of the tree could differ.
  func finish(parent: UInt64) throws(ErofsError) -> [ErofsName] {
    for (name, entry, target) in [(".", dot, nid), ("..", dotDot, parent)] {
      guard let entry, entry.nid == target, entry.kind == .directory else {
        let found = entry.map { "a \($0.kind.name), inode \($0.nid)" } ?? "nothing"
        throw ErofsError(.directory, nid: nid, expected: "`\(name)` as directory \(target)", found: found)
      }
    }
    return names
  }
}
