internal import Base
internal import Verity

extension VerifiedFileSystem where Self: ~Copyable {
  /// The inode a path leads to. Symbolic links are never followed: one in the middle is not a directory.
  ///
  /// Of every directory on the way only the blocks are read where the name could be. To see every name there is, and to
  /// have all directories checked as a whole, ``walk(_:)``.
  ///
  /// - Parameter path: relative to the root, with or without a leading `/`; `.` and `..` are not resolved.
  public func lookup(_ path: String) throws(FileSystemError) -> FileSystemInode {
    let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).map { Array($0) }
    guard components.count <= limits.depth else { throw tooDeep(path) }
    var inode = try root()
    var reached = ""
    for component in components {
      let name: FileSystemName?
      do throws(FileSystemError) {
        name = try find(component, in: inode)
      } catch {
        throw error.at(path: reached)
      }
      guard let name else {
        throw FileSystemError(
          .notFound, path: path, expected: "a file of that name in `/\(reached)`", found: "other names only",
          format: format)
      }
      reached += reached.isEmpty ? name.name : "/" + name.name
      inode = try child(name, at: FileSystemPath(directory: "", name: reached))
    }
    return inode
  }

  /// Visits every name of the tree, each directory before what it holds, the names of a directory in bytewise order.
  ///
  /// An inode with several names is visited once for each; a directory can have only one.
  public func walk(_ visit: (FileSystemEntry) throws(FileSystemError) -> Void) throws(FileSystemError) {
    try visit(FileSystemEntry(place: FileSystemPath(directory: "", name: ""), inode: try root()))
    try descend { place, name throws(FileSystemError) in
      let inode = try child(name, at: place)
      try visit(FileSystemEntry(place: place, inode: inode))
      return inode
    }
  }

  /// All files and what else is no directory, in bytewise order of their paths.
  ///
  /// - Throws: ``FileSystemError``, also when the paths together are longer than the limit.
  public func files() throws(FileSystemError) -> [(path: String, inode: FileSystemInode)] {
    var listing = FileListing()
    try walk { entry throws(FileSystemError) in try listing.take(entry, limits, in: format) }
    return listing.sorted
  }

  /// The same, and what was verified is forgotten on the way as by ``passNames(_:)``.
  public mutating func passFiles() throws(FileSystemError) -> [(path: String, inode: FileSystemInode)] {
    var listing = FileListing()
    try passEntries { image, entry throws(FileSystemError) in try listing.take(entry, image.limits, in: image.format) }
    return listing.sorted
  }

  /// Visits every name that is not a directory's, in the order of ``walk(_:)``, without reading what it leads to. The
  /// directories say what kind of file that is, and nobody has looked whether it is so.
  ///
  /// - Parameter visit: called with the path, the kind and the inode's number.
  public func walkNames(
    _ visit: (FileSystemPath, FileSystemInode.Kind, UInt64) throws(FileSystemError) -> Void
  ) throws(FileSystemError) {
    var walk = NameWalk(from: try root())
    while try stepNames(&walk, visit) {}
  }

  /// The same, and what was verified is forgotten on the way: memory is needed for the directories, and for some names at a
  /// time, however many there are.
  public mutating func passNames(
    _ visit: (FileSystemPath, FileSystemInode.Kind, UInt64) throws(FileSystemError) -> Void
  ) throws(FileSystemError) {
    var walk = NameWalk(from: try root())
    while try stepNames(&walk, visit) { forgetBlocks() }
    forgetBlocks()
  }

  /// Visits every name as ``walk(_:)`` does, and forgets what was verified as ``passNames(_:)``.
  ///
  /// - Parameter visit: called with the file system too, which cannot be asked otherwise meanwhile.
  public mutating func passEntries(
    _ visit: (borrowing Self, FileSystemEntry) throws(FileSystemError) -> Void
  ) throws(FileSystemError) {
    var walk = NameWalk(from: try root())
    while try stepEntries(&walk, visit) { forgetBlocks() }
    forgetBlocks()
  }

  private func stepNames(
    _ walk: inout NameWalk, _ visit: (FileSystemPath, FileSystemInode.Kind, UInt64) throws(FileSystemError) -> Void
  ) throws(FileSystemError) -> Bool {
    try step(&walk) { place, name throws(FileSystemError) in
      if name.kind == .directory { return try child(name, at: place) }
      try visit(place, name.kind, name.nid)
      return nil
    }
  }

  private func stepEntries(
    _ walk: inout NameWalk, _ visit: (borrowing Self, FileSystemEntry) throws(FileSystemError) -> Void
  ) throws(FileSystemError) -> Bool {
    try step(&walk) { place, name throws(FileSystemError) in
      let inode = try child(name, at: place)
      try visit(self, FileSystemEntry(place: place, inode: inode))
      return inode
    }
  }

  /// Goes through all names.
  ///
  /// - Parameter enter: called with each path and name; returns its inode when it may be a directory to go into.
  private func descend(
    _ enter: (FileSystemPath, FileSystemName) throws(FileSystemError) -> FileSystemInode?
  ) throws(FileSystemError) {
    var walk = NameWalk(from: try root())
    while try step(&walk, enter) {}
  }

  /// Goes through the next names, those that lie together in a directory.
  ///
  /// - Returns: false when there are none any more.
  private func step(
    _ walk: inout NameWalk, _ enter: (FileSystemPath, FileSystemName) throws(FileSystemError) -> FileSystemInode?
  ) throws(FileSystemError) -> Bool {
    guard var directory = walk.takeDirectory() else { return false }
    guard let names = try nextNames(&directory.progress, of: directory.path) else {
      walk.leave(directory)
      return true
    }
    walk.visited += names.count
    guard walk.visited <= limits.entries else { throw limits.tooManyNames(directory.path, in: format) }
    for name in names {
      let place = FileSystemPath(directory: directory.path, name: name.name)
      guard limits.allowPath(depth: directory.depth + 1, byteCount: place.byteCount) else {
        throw tooDeep(place.text)
      }
      guard let inode = try enter(place, name), inode.kind == .directory else { continue }
      guard walk.add(inode, name.name, in: &directory) else { throw .secondName(inode, at: place, in: format) }
    }
    walk.goOn(with: directory)
    return true
  }

  /// The first name of an inode in bytewise order, from a walk of the whole tree; nil when no name leads to it.
  ///
  /// A file may have several names (hard links, or equal files that were stored once), as many as the image has bytes for.
  /// One of them is kept at a time, and of those in one directory only the first is looked at.
  public func firstPath(of nid: UInt64) throws(FileSystemError) -> String? {
    var first: String?
    var directory: String?
    try walk { entry throws(FileSystemError) in
      guard entry.inode.nid == nid else { return }
      if let directory, directory.hasSameBytes(as: entry.place.directory) { return }
      directory = entry.place.directory
      let path = entry.path
      if first.map({ path.precedesBytewise($0) }) ?? true { first = path }
    }
    return first
  }

  /// The one name of an inode, when a path that it was found under ends in that name; otherwise nil.
  ///
  /// Only the directories on the way are read, where ``firstPath(of:)`` reads all there are. The path is a hint, believed
  /// in nothing: each of its ends is looked up, and counts only when it leads to this very inode. An inode with
  /// several names gets none here, so that the caller's hint cannot choose among them.
  ///
  /// - Parameter path: for example the file's path on a mount; which part of it is the mount point is not known.
  public func name(of inode: FileSystemInode, atEndOf path: String) throws(FileSystemError) -> String? {
    guard inode.linkCount == 1 else { return nil }
    let components = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    for start in components.indices where components.count - start <= limits.depth {
      let end = Array(components[start...]).separated(by: "/")
      let found: FileSystemInode
      do throws(FileSystemError) {
        found = try lookup(end)
      } catch {
        // A mount point can be named like something in the image.
        guard error.check == .notFound || error.check == .wrongKind else { throw error }
        continue
      }
      if found.nid == inode.nid { return end }
    }
    return nil
  }

  /// The one name of an inode that ``lookup(_:)`` found under this path; nil when it has several.
  public func name(of inode: FileSystemInode, foundAt path: String) -> String? {
    guard inode.linkCount == 1 else { return nil }
    return path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.separated(by: "/")
  }

  /// The root directory.
  func root() throws(FileSystemError) -> FileSystemInode {
    do throws(FileSystemError) {
      let root = try inode(rootNid)
      guard root.kind == .directory else { throw wrongKind(root, expected: .directory) }
      return root
    } catch {
      throw error.at(path: "")
    }
  }

  /// The next names of a directory that is at this path.
  func nextNames(
    _ progress: inout DirectoryProgress, of path: String
  ) throws(FileSystemError) -> [FileSystemName]? {
    do throws(FileSystemError) {
      return try nextNames(&progress)
    } catch {
      throw error.at(path: path)
    }
  }

  /// The inode that a name leads to.
  func child(_ name: FileSystemName, at place: FileSystemPath) throws(FileSystemError) -> FileSystemInode {
    let inode: FileSystemInode
    do throws(FileSystemError) {
      inode = try self.inode(name.nid)
    } catch {
      throw error.at(path: place.text)
    }
    guard inode.kind == name.kind, inode.number == name.number else {
      throw FileSystemError(
        .directory, nid: name.nid, path: place.text,
        expected: "a \(name.kind.name) of number \(name.number), as its directory says",
        found: "a \(inode.kind.name) of number \(inode.number)", format: format)
    }
    return inode
  }

  func tooDeep(_ path: String) -> FileSystemError {
    FileSystemError(
      .limit, path: String(path.prefix(256)), expected: limits.allowed(.path), found: "a longer one", format: format)
  }
}

extension FileSystemLimits {
  /// Says that a tree has more names than are allowed, as was found in a directory.
  func tooManyNames(_ directory: String, in format: FileSystemFormat) -> FileSystemError {
    FileSystemError(.limit, path: directory, expected: allowed(.names), found: "more", format: format)
  }
}

extension FileSystemError {
  /// Says that a directory was found a second time.
  static func secondName(
    _ directory: FileSystemInode, at place: FileSystemPath, in format: FileSystemFormat
  ) -> FileSystemError {
    FileSystemError(
      .tree, nid: directory.nid, path: place.text, expected: "one name for a directory",
      found: "a second one, or a loop", format: format)
  }
}

/// The files of a walk.
private struct FileListing {
  private var files: [(path: String, inode: FileSystemInode)] = []
  private var byteCount = 0

  /// Takes a name, unless it is a directory's.
  mutating func take(
    _ entry: FileSystemEntry, _ limits: FileSystemLimits, in format: FileSystemFormat
  ) throws(FileSystemError) {
    guard entry.inode.kind != .directory else { return }
    byteCount += entry.place.byteCount
    guard byteCount <= limits.listingBytes else {
      throw FileSystemError(
        .limit, path: entry.path, expected: limits.allowed(.listing), found: "more", format: format)
    }
    files.append((entry.path, entry.inode))
  }

  /// In bytewise order of the paths.
  var sorted: [(path: String, inode: FileSystemInode)] { files.sorted { $0.path.precedesBytewise($1.path) } }
}
