public import Base
internal import Synchronization

/// Why a walk that threads share has ended early.
public enum SharedWalkError<Opening: Error>: Error {
  /// A thread could not open the file system.
  case opening(Opening)
  case fileSystem(FileSystemError)
}

extension VerifiedFileSystem where Self: SendableMetatype & ~Copyable {
  /// Visits every name as ``passEntries(_:)`` does, with the directories shared among threads: those of one depth are
  /// gone through side by side, then those below them. Memory is needed for the directories of two depths, and for some names
  /// a thread.
  ///
  /// What comes out, and which error, does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - threads: what shares the directories.
  ///   - open: opens the file system once more, for a thread: readers are for one thread at a time.
  ///   - empty: what is known of a directory before its names are visited.
  ///   - visit: called with each name but the root, by any of the threads.
  ///   - merge: adds what is known of a directory to what is known of those before it.
  public static func shareEntries<Sum: Sendable, Opening: Error>(
    among threads: Threads, open: @Sendable () throws(Opening) -> Self, from empty: Sum,
    visit: @Sendable (borrowing Self, FileSystemEntry, inout Sum) throws(FileSystemError) -> Void,
    merge: @Sendable (inout Sum, Sum) -> Void
  ) throws(SharedWalkError<Opening>) -> Sum {
    let first = try opened(by: open)
    let limits = first.limits
    let walk: Mutex<LevelWalk<Sum>>
    do throws(FileSystemError) {
      walk = Mutex(LevelWalk(from: try first.root(), sum: empty, format: first.format))
    } catch {
      throw .fileSystem(error)
    }
    while let level = walk.withLock({ $0.takeLevel() }) {
      try WorkerPool<SharedWalkError<Opening>>(threads).run(level.directories.count, into: walk) {
        () throws(SharedWalkError<Opening>) in
        try opened(by: open)
      } work: { (volume: inout Self, number) throws(SharedWalkError<Opening>) in
        do throws(FileSystemError) {
          return try volume.findings(in: level.directories[number], of: level, from: empty, visit)
        } catch {
          throw .fileSystem(error)
        }
      } take: { walk, findings throws(SharedWalkError<Opening>) in
        merge(&walk.sum, findings.sum)
        do throws(FileSystemError) {
          try walk.take(findings, of: level, limits)
        } catch {
          throw .fileSystem(error)
        }
      }
    }
    return walk.withLock { $0.sum }
  }

  private static func opened<Opening: Error>(
    by open: () throws(Opening) -> Self
  ) throws(SharedWalkError<Opening>) -> Self {
    do throws(Opening) {
      return try open()
    } catch {
      throw .opening(error)
    }
  }

  /// Visits the names of one directory.
  private mutating func findings<Sum>(
    in directory: LevelDirectory, of level: Level, from empty: Sum,
    _ visit: (borrowing Self, FileSystemEntry, inout Sum) throws(FileSystemError) -> Void
  ) throws(FileSystemError) -> DirectoryFindings<Sum> {
    let path = level.ancestry.path(of: directory.place)
    var progress = DirectoryProgress(directory.inode, parent: directory.parent)
    var findings = DirectoryFindings(directory: directory, sum: empty)
    while let names = try nextNames(&progress, of: path) {
      findings.nameCount += names.count
      guard findings.nameCount <= limits.entries else { throw limits.tooManyNames(path, in: format) }
      for name in names {
        let place = FileSystemPath(directory: path, name: name.name)
        guard limits.allowPath(depth: level.depth + 1, byteCount: place.byteCount) else { throw tooDeep(place.text) }
        let inode = try child(name, at: place)
        try visit(self, FileSystemEntry(place: place, inode: inode), &findings.sum)
        if inode.kind == .directory { findings.below.append((name.name, inode)) }
      }
      forgetBlocks()
    }
    forgetBlocks()
    return findings
  }
}

/// A directory that waits for its turn.
private struct LevelDirectory: Sendable {
  /// Its number among the ancestors.
  let place: Int
  let inode: FileSystemInode
  let parent: UInt64
}

/// The directories of one depth.
private struct Level: Sendable {
  let depth: Int
  let directories: [LevelDirectory]
  let ancestry: Ancestry
}

/// What is known of a directory after its names were visited.
private struct DirectoryFindings<Sum: Sendable>: Sendable {
  let directory: LevelDirectory
  var sum: Sum
  var nameCount = 0
  /// The directories in it.
  var below: [(name: String, inode: FileSystemInode)] = []

  init(directory: LevelDirectory, sum: Sum) {
    self.directory = directory
    self.sum = sum
  }
}

/// Where a walk through all names is that goes through the directories of one depth after another.
private struct LevelWalk<Sum: Sendable>: Sendable {
  var sum: Sum
  /// Names so far, with the root.
  private var visited = 1
  private var depth = 0
  private var ancestry = Ancestry()
  private var known: Set<UInt64>
  private var next: [(name: String, directory: Int, inode: FileSystemInode, parent: UInt64)] = []
  private var isRoot = true
  private let root: FileSystemInode
  private let format: FileSystemFormat

  init(from root: FileSystemInode, sum: Sum, format: FileSystemFormat) {
    self.sum = sum
    self.format = format
    self.root = root
    known = [root.nid]
  }

  /// The directories whose turn it is; nil when all have been gone through.
  mutating func takeLevel() -> Level? {
    var directories: [LevelDirectory] = []
    if isRoot {
      directories = [LevelDirectory(place: 0, inode: root, parent: root.nid)]
      isRoot = false
    } else {
      directories = next.map {
        LevelDirectory(place: ancestry.add($0.name, in: $0.directory), inode: $0.inode, parent: $0.parent)
      }
      next = []
      depth += 1
    }
    return directories.isEmpty ? nil : Level(depth: depth, directories: directories, ancestry: ancestry)
  }

  /// Takes what was found in the next directory of a level.
  mutating func take(
    _ findings: DirectoryFindings<Sum>, of level: Level, _ limits: FileSystemLimits
  ) throws(FileSystemError) {
    visited += findings.nameCount
    let path = level.ancestry.path(of: findings.directory.place)
    guard visited <= limits.entries else { throw limits.tooManyNames(path, in: format) }
    for (name, inode) in findings.below {
      guard known.insert(inode.nid).inserted else {
        throw .secondName(inode, at: FileSystemPath(directory: path, name: name), in: format)
      }
      next.append((name, findings.directory.place, inode, findings.directory.inode.nid))
    }
  }
}
