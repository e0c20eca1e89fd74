internal import Base
internal import Verity

/// A name of the tree together with the inode it leads to.
public struct ErofsEntry: Equatable, Sendable {
  /// Relative to the root, components separated by `/`; the root itself is empty.
  public let path: String
  public let inode: ErofsInode
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
      inode = try child(name, path: reached)
    }
    return inode
  }

  /// Visits every name of the tree, each directory before what it holds, the names of a directory in bytewise order.
  ///
  /// An inode with several names is visited once for each; a directory can have only one.
  public func walk(_ visit: (ErofsEntry) throws(ErofsError) -> Void) throws(ErofsError) {
    try visit(ErofsEntry(path: "", inode: try root()))
    try descend { path, name throws(ErofsError) in
      let inode = try child(name, path: path)
      try visit(ErofsEntry(path: path, inode: inode))
      return inode
    }
  }

  /// Visits every name that is not a directory's, in the order of ``walk(_:)``, without reading what it leads to. The
  /// directories say what kind of file that is, and nobody has looked whether it is so.
  ///
  /// - Parameter visit: called with the path, the kind and the inode's number.
  public func walkNames(
    _ visit: (String, ErofsInode.Kind, UInt64) throws(ErofsError) -> Void
  ) throws(ErofsError) {
    try descend { path, name throws(ErofsError) in
      if name.kind == .directory { return try child(name, path: path) }
      try visit(path, name.kind, name.nid)
      return nil
    }
  }

  /// Goes through all names.
  ///
  /// - Parameter enter: called with each path and name; returns its inode when it may be a directory to go into.
  private func descend(
    _ enter: (String, ErofsName) throws(ErofsError) -> ErofsInode?
  ) throws(ErofsError) {
    let root = try root()
    var pending: [(path: String, inode: ErofsInode, parent: UInt64, depth: Int)] = [("", root, root.nid, 0)]
    var directories: Set<UInt64> = [root.nid]
    var visited = 1
    while let directory = pending.popLast() {
      let names: [ErofsName]
      do throws(ErofsError) {
        names = try self.names(in: directory.inode, parent: directory.parent)
      } catch {
        throw error.at(path: directory.path)
      }
      visited += names.count
      guard visited <= limits.entries else {
        throw ErofsError(.limit, path: directory.path, expected: limits.allowed(.names), found: "more")
      }
      var below: [(path: String, inode: ErofsInode, parent: UInt64, depth: Int)] = []
      for name in names {
        let path = directory.path.isEmpty ? name.name : "\(directory.path)/\(name.name)"
        guard limits.allowPath(depth: directory.depth + 1, byteCount: path.utf8.count) else { throw tooDeep(path) }
        guard let inode = try enter(path, name), inode.kind == .directory else { continue }
        guard directories.insert(inode.nid).inserted else {
          throw ErofsError(
            .tree, nid: inode.nid, path: path, expected: "one name for a directory", found: "a second one, or a loop")
        }
        below.append((path, inode, directory.inode.nid, directory.depth + 1))
      }
      pending.append(contentsOf: below.reversed())
    }
  }

  /// Every name of an inode in bytewise order, from a walk of the whole tree; none when no name leads to it.
  ///
  /// A file may have several names (hard links, or equal files that were stored once). They are all returned: a rule
  /// about paths must decide about each, not about whichever comes first.
  public func paths(of nid: UInt64) throws(ErofsError) -> [String] {
    var paths: [String] = []
    try walk { entry throws(ErofsError) in if entry.inode.nid == nid { paths.append(entry.path) } }
    return paths.sortedBytewise()
  }

  /// The one name of an inode, when a path that it was found under ends in that name; otherwise nil.
  ///
  /// Only the directories on the way are read, where ``paths(of:)`` reads all there are. The path is a hint, believed
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

  private func child(_ name: ErofsName, path: String) throws(ErofsError) -> ErofsInode {
    let inode: ErofsInode
    do throws(ErofsError) {
      inode = try self.inode(name.nid)
    } catch {
      throw error.at(path: path)
    }
    guard inode.kind == name.kind else {
      throw ErofsError(
        .directory, nid: name.nid, path: path, expected: "a \(name.kind.name), as its directory says",
        found: "a \(inode.kind.name)")
    }
    return inode
  }

  private func tooDeep(_ path: String) -> ErofsError {
    ErofsError(
      .limit, path: String(path.prefix(256)), expected: limits.allowed(.path), found: "a longer one")
  }
}
