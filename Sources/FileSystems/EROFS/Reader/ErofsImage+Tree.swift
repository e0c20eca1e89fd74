internal import Base
internal import Verity

/// A path of the tree, relative to the root. All names of a directory share its text: a directory of many names, deep in the
/// tree, would take the names times the depth otherwise.
public struct ErofsPath: Equatable, Sendable {
  /// The path of the directory, components separated by `/`; empty for the root.
  public let directory: String
  /// The name in it; empty for the root itself.
  public let name: String

  public init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }

  /// The whole path.
  public var text: String { directory.isEmpty ? name : "\(directory)/\(name)" }

  /// Bytes of the whole path.
  public var byteCount: Int { (directory.isEmpty ? 0 : directory.utf8.count + 1) + name.utf8.count }
}

/// A name of the tree together with the inode it leads to.
public struct ErofsEntry: Equatable, Sendable {
  public let place: ErofsPath
  public let inode: ErofsInode

  /// Relative to the root, components separated by `/`; the root itself is empty.
  public var path: String { place.text }
}

extension ErofsImage where Blocks: ~Copyable {
  /// The inode a path leads to. Symbolic links are never followed: one in the middle is not a directory.
  ///
  /// Of every directory on the way only the blocks are read where the name could be. To see every name there is, and to
  /// have all directories checked as a whole, ``walk(_:)``.
  ///
  /// - Parameter path: relative to the root, with or without a leading `/`; `.` and `..` are not resolved.
  public func lookup(_ path: String) throws(ErofsError) -> ErofsInode {
    let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).map { Array($0) }
    guard components.count <= limits.depth else { throw tooDeep(path) }
    var inode = try root()
    var reached = ""
    for component in components {
      let name: ErofsName?
      do throws(ErofsError) {
        name = try find(component, in: inode)
      } catch {
        throw error.at(path: reached)
      }
      guard let name else {
        throw ErofsError(
          .notFound, path: path, expected: "a file of that name in `/\(reached)`", found: "other names only")
      }
      reached += reached.isEmpty ? name.name : "/" + name.name
      inode = try child(name, at: ErofsPath(directory: "", name: reached))
    }
    return inode
  }

  /// Visits every name of the tree, each directory before what it holds, the names of a directory in bytewise order.
  ///
  /// An inode with several names is visited once for each; a directory can have only one.
  public func walk(_ visit: (ErofsEntry) throws(ErofsError) -> Void) throws(ErofsError) {
    try visit(ErofsEntry(place: ErofsPath(directory: "", name: ""), inode: try root()))
    try descend { place, name throws(ErofsError) in
      let inode = try child(name, at: place)
      try visit(ErofsEntry(place: place, inode: inode))
      return inode
    }
  }

  /// All files and what else is no directory, in bytewise order of their paths.
  ///
  /// - Throws: ``ErofsError``, also when the paths together are longer than the limit.
  public func files() throws(ErofsError) -> [(path: String, inode: ErofsInode)] {
    var files: [(path: String, inode: ErofsInode)] = []
    var byteCount = 0
    try walk { entry throws(ErofsError) in
      guard entry.inode.kind != .directory else { return }
      byteCount += entry.place.byteCount
      guard byteCount <= limits.listingBytes else {
        throw ErofsError(.limit, path: entry.path, expected: limits.allowed(.listing), found: "more")
      }
      files.append((entry.path, entry.inode))
    }
    return files.sorted { $0.path.precedesBytewise($1.path) }
  }

  /// Visits every name that is not a directory's, in the order of ``walk(_:)``, without reading what it leads to. The
  /// directories say what kind of file that is, and nobody has looked whether it is so.
  ///
  /// - Parameter visit: called with the path, the kind and the inode's number.
  public func walkNames(
    _ visit: (ErofsPath, ErofsInode.Kind, UInt64) throws(ErofsError) -> Void
  ) throws(ErofsError) {
    try descend { place, name throws(ErofsError) in
      if name.kind == .directory { return try child(name, at: place) }
      try visit(place, name.kind, name.nid)
      return nil
    }
  }

  /// Goes through all names.
  ///
  /// Directories that wait for their turn are known by their name and by the directory that they are in, so that the memory
  /// is that of the names, whatever the depth.
  ///
  /// - Parameter enter: called with each path and name; returns its inode when it may be a directory to go into.
  private func descend(
    _ enter: (ErofsPath, ErofsName) throws(ErofsError) -> ErofsInode?
  ) throws(ErofsError) {
    let root = try root()
    var ancestry = Ancestry()
    var pending: [(place: Int, inode: ErofsInode, parent: UInt64, depth: Int)] = [(0, root, root.nid, 0)]
    var directories: Set<UInt64> = [root.nid]
    var visited = 1
    while let directory = pending.popLast() {
      let path = ancestry.path(of: directory.place)
      let names: [ErofsName]
      do throws(ErofsError) {
        names = try self.names(in: directory.inode, parent: directory.parent)
      } catch {
        throw error.at(path: path)
      }
      visited += names.count
      guard visited <= limits.entries else {
        throw ErofsError(.limit, path: path, expected: limits.allowed(.names), found: "more")
      }
      var below: [(place: Int, inode: ErofsInode, parent: UInt64, depth: Int)] = []
      for name in names {
        let place = ErofsPath(directory: path, name: name.name)
        guard limits.allowPath(depth: directory.depth + 1, byteCount: place.byteCount) else {
          throw tooDeep(place.text)
        }
        guard let inode = try enter(place, name), inode.kind == .directory else { continue }
        guard directories.insert(inode.nid).inserted else {
          throw ErofsError(
            .tree, nid: inode.nid, path: place.text, expected: "one name for a directory",
            found: "a second one, or a loop")
        }
        below.append(
          (ancestry.add(name.name, in: directory.place), inode, directory.inode.nid, directory.depth + 1))
      }
      pending.append(contentsOf: below.reversed())
    }
  }

  /// The first name of an inode in bytewise order, from a walk of the whole tree; nil when no name leads to it.
  ///
  /// A file may have several names (hard links, or equal files that were stored once), as many as the image has bytes for.
  /// One of them is kept at a time, and of those in one directory only the first is looked at.
  public func firstPath(of nid: UInt64) throws(ErofsError) -> String? {
    var first: String?
    var directory: String?
    try walk { entry throws(ErofsError) in
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
  public func name(of inode: ErofsInode, atEndOf path: String) throws(ErofsError) -> String? {
    guard inode.linkCount == 1 else { return nil }
    let components = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    for start in components.indices where components.count - start <= limits.depth {
      let end = Array(components[start...]).separated(by: "/")
      let found: ErofsInode
      do throws(ErofsError) {
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
  public func name(of inode: ErofsInode, foundAt path: String) -> String? {
    guard inode.linkCount == 1 else { return nil }
    return path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.separated(by: "/")
  }

  private func root() throws(ErofsError) -> ErofsInode {
    do throws(ErofsError) {
      let root = try inode(rootNid)
      guard root.kind == .directory else { throw wrongKind(root, expected: .directory) }
      return root
    } catch {
      throw error.at(path: "")
    }
  }

  private func child(_ name: ErofsName, at place: ErofsPath) throws(ErofsError) -> ErofsInode {
    let inode: ErofsInode
    do throws(ErofsError) {
      inode = try self.inode(name.nid)
    } catch {
      throw error.at(path: place.text)
    }
    guard inode.kind == name.kind else {
      throw ErofsError(
        .directory, nid: name.nid, path: place.text, expected: "a \(name.kind.name), as its directory says",
        found: "a \(inode.kind.name)")
    }
    return inode
  }

  private func tooDeep(_ path: String) -> ErofsError {
    ErofsError(
      .limit, path: String(path.prefix(256)), expected: limits.allowed(.path), found: "a longer one")
  }
}

/// The directories that a walk has found, each by its name and the one that it is in.
private struct Ancestry {
  private var directories: [(parent: Int, name: String)] = [(0, "")]

  /// - Returns: the directory's number here; that of the root is 0.
  mutating func add(_ name: String, in parent: Int) -> Int {
    directories.append((parent, name))
    return directories.count - 1
  }

  /// The path from the root.
  func path(of directory: Int) -> String {
    var names: [String] = []
    var place = directory
    while place != 0 {
      names.append(directories[place].name)
      place = directories[place].parent
    }
    return names.reversed().separated(by: "/")
  }
}
