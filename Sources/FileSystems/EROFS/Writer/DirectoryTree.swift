/// The names of a file system that is being written.
struct DirectoryTree {
  /// One name of a directory.
  struct Entry {
    let name: [UInt8]
    let kind: FileSystemInode.Kind
    /// Of a directory, its index; it has no inode before all names are known.
    let directory: Int?
    /// The inode's number; of a directory 0 until it has one.
    var nid: UInt64
  }

  struct Directory {
    let path: [UInt8]
    /// The index of the directory that holds it; the root's is its own.
    let parent: Int
    var entries: [Entry] = []
    var subdirectoryCount: UInt32 = 0
  }

  private let limits: FileSystemLimits
  /// Names so far, with the root.
  private var nameCount = 1
  /// Bytes of the paths of all files so far.
  private var listingByteCount = 0
  /// The root first, and each one after the one that holds it.
  private(set) var directories: [Directory] = [Directory(path: [], parent: 0)]
  /// By path. Paths are compared by their bytes: as strings, names that differ in their bytes can be equal.
  private var indexes: [[UInt8]: Int] = [[]: 0]
  /// Where the last file went; files mostly come sorted.
  private var latest = (path: [UInt8](), index: 0)

  init(limits: FileSystemLimits) { self.limits = limits }

  /// Adds a file, and the directories above it that are not there yet.
  mutating func add(_ path: String, nid: UInt64) throws(ErofsWriterError) {
    let bytes = Array(path.utf8)
    let names = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for name in names {
      guard 1...FileSystemLimits.nameBytes ~= name.count, !name.contains(0), name.elementsEqual([0x2e]) == false,
        name.elementsEqual([0x2e, 0x2e]) == false
      else { throw .badPath(path, found: "a name of \(name.count) bytes: `\(String(decoding: name, as: UTF8.self))`") }
    }
    guard let name = names.last else { throw .badPath(path, found: "no name") }
    listingByteCount += bytes.count
    guard listingByteCount <= limits.listingBytes else {
      throw .limit(path: path, allowed: limits.allowed(.listing), found: "more")
    }
    guard limits.allowPath(depth: names.count, byteCount: bytes.count) else {
      throw .limit(
        path: path, allowed: limits.allowed(.path), found: "\(names.count) components, \(bytes.count) bytes")
    }
    let parent = try directory(of: names.dropLast(), path: bytes[..<max(0, name.startIndex - 1)])
    try add(Entry(name: Array(name), kind: .regular, directory: nil, nid: nid), to: parent)
  }

  private mutating func add(_ entry: Entry, to directory: Int) throws(ErofsWriterError) {
    nameCount += 1
    guard nameCount <= limits.entries else {
      let path = directories[directory].path + (directory == 0 ? [] : [UInt8(ascii: "/")]) + entry.name
      throw .limit(path: String(decoding: path, as: UTF8.self), allowed: limits.allowed(.names), found: "more")
    }
    directories[directory].entries.append(entry)
  }

  private mutating func directory(
    of names: ArraySlice<ArraySlice<UInt8>>, path: ArraySlice<UInt8>
  ) throws(ErofsWriterError) -> Int {
    if latest.path.elementsEqual(path) { return latest.index }
    var index = 0
    for name in names {
      let above = Array(path[..<name.endIndex])
      if let known = indexes[above] {
        index = known
        continue
      }
      let new = directories.count
      directories.append(Directory(path: above, parent: index))
      try add(Entry(name: Array(name), kind: .directory, directory: new, nid: 0), to: index)
      directories[index].subdirectoryCount += 1
      indexes[above] = new
      index = new
    }
    latest = (Array(path), index)
    return index
  }

  /// Adds `.` and `..` to every directory and sorts its names by their bytes, as the kernel's bisection needs them
  /// (fs/erofs/namei.c).
  mutating func sort() throws(ErofsWriterError) {
    for index in directories.indices {
      let parent = directories[index].parent
      directories[index].entries += [
        Entry(name: [0x2e], kind: .directory, directory: index, nid: 0),
        Entry(name: [0x2e, 0x2e], kind: .directory, directory: parent, nid: 0),
      ]
      directories[index].entries.sort { $0.name.lexicographicallyPrecedes($1.name) }
      let entries = directories[index].entries
      for (one, next) in zip(entries, entries.dropFirst()) where one.name == next.name {
        let path = directories[index].path + (index == 0 ? [] : [UInt8(ascii: "/")]) + one.name
        throw .duplicate(path: String(decoding: path, as: UTF8.self))
      }
      let byteCount = directories[index].byteCount
      guard byteCount <= limits.directoryBytes else {
        throw .limit(
          path: String(decoding: directories[index].path, as: UTF8.self), allowed: limits.allowed(.directory),
          found: "\(byteCount) bytes")
      }
    }
  }

  /// Gives the directories their inodes' numbers, in the order of ``directories``.
  mutating func assign(_ nids: [UInt64]) {
    for index in directories.indices {
      for entry in directories[index].entries.indices {
        if let target = directories[index].entries[entry].directory {
          directories[index].entries[entry].nid = nids[target]
        }
      }
    }
  }
}
