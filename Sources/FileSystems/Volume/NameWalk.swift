internal import Base

/// Where a walk through all names is: at a place in one directory, with others that wait for their turn.
///
/// Those are known by their name and by the directory that they are in, so that the memory is that of the directories' names,
/// whatever the depth.
struct NameWalk {
  /// A directory while its names are gone through.
  struct Directory {
    var progress: DirectoryProgress
    let path: String
    let depth: Int
    fileprivate let place: Int
    /// The directories found in it.
    fileprivate var below: [Waiting] = []
  }

  fileprivate struct Waiting {
    let place: Int
    let inode: FileSystemInode
    let parent: UInt64
    let depth: Int
  }

  /// Names so far, with the root.
  var visited = 1
  private var ancestry = Ancestry()
  private var waiting: [Waiting]
  private var current: Directory?
  private var directories: Set<UInt64>

  init(from root: FileSystemInode) {
    waiting = [Waiting(place: 0, inode: root, parent: root.nid, depth: 0)]
    directories = [root.nid]
  }

  /// The directory that is gone through, or the next one; nil when all have been.
  mutating func takeDirectory() -> Directory? {
    if let directory = current.take() { return directory }
    guard let next = waiting.popLast() else { return nil }
    return Directory(
      progress: DirectoryProgress(next.inode, parent: next.parent), path: ancestry.path(of: next.place),
      depth: next.depth, place: next.place)
  }

  /// There may be more names in this directory.
  mutating func goOn(with directory: consuming Directory) { current = directory }

  /// There are no more names in this directory: those below it are next.
  mutating func leave(_ directory: Directory) { waiting.append(contentsOf: directory.below.reversed()) }

  /// Has a directory gone through later.
  ///
  /// - Returns: false when it was found before.
  mutating func add(_ inode: FileSystemInode, _ name: String, in directory: inout Directory) -> Bool {
    guard directories.insert(inode.nid).inserted else { return false }
    directory.below.append(
      Waiting(
        place: ancestry.add(name, in: directory.place), inode: inode, parent: directory.progress.directory.nid,
        depth: directory.depth + 1))
    return true
  }
}

/// The directories that a walk has found, each by its name and the one that it is in.
struct Ancestry: Sendable {
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
