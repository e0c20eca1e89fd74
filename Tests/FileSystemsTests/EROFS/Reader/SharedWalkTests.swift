import Base
import FileSystems
import Linux
import Testing
import Verity

/// A walk whose directories are shared among threads visits what a walk by one thread visits.
@Suite struct SharedWalkTests {
  typealias Image = ErofsImage<VerifiedDevice<ArraySource>>

  /// The paths in the order in which they are merged, for so many threads.
  private func paths(
    _ bytes: [UInt8], threads: Int, limits: FileSystemLimits = FileSystemLimits()
  ) throws -> [String] {
    do {
      return try Image.shareEntries(
        among: Processors.threads(threads),
        open: { try ErofsImage(try MemoryImage.build(data: bytes, salt: [1]).device(), limits: limits) },
        from: [String](), visit: { _, entry, paths in paths.append(entry.path) }, merge: { $0 += $1 })
    } catch .opening(let error) {
      throw error
    } catch .fileSystem(let error) {
      throw error
    }
  }

  private static func wideTree() throws -> SourceTree {
    let tree = try SourceTree.everyShape()
    for directory in ["w", "w/a", "w/b", "w/c", "w/a/x", "w/c/x", "w/c/x/y"] {
      try tree.addDirectory(directory)
      for name in 0..<9 { try tree.addFile("\(directory)/f\(name)", size: 0) }
    }
    return tree
  }

  @Test func visitsTheSameNamesForEveryNumberOfThreads() throws {
    let bytes = try Self.wideTree().image()
    var expected: [String] = []
    try open(bytes).walk { if !$0.path.isEmpty { expected.append($0.path) } }
    let alone = try paths(bytes, threads: 1)
    #expect(alone.sortedBytewise() == expected.sortedBytewise())
    // Those of one depth stand together, in the order of their directories.
    let depths = alone.map { $0.utf8.filter { $0 == UInt8(ascii: "/") }.count }
    #expect(depths == depths.sorted())
    for threads in [2, 3, 8] { #expect(try paths(bytes, threads: threads) == alone) }
  }

  @Test(arguments: [1, 2, 7])
  func refusesWhatAWalkRefuses(threads: Int) throws {
    let tree = try SourceTree()
    for path in ["d", "d/e", "d/f"] { try tree.addDirectory(path) }
    let bytes = try tree.image()
    let image = try open(bytes)
    let entries = Int(try #require(try image.extents(of: try image.lookup("d"))?.first?.imageOffset))
    let nid = try image.lookup("d/e").nid
    // Its entries: `.`, `..`, e, f.
    let changed = bytes.changed { $0.storeLittleEndian(nid, at: entries + 3 * 12) }
    let second = #expect(throws: FileSystemError.self) { try paths(changed, threads: threads) }
    #expect(second?.check == .tree && second?.path == "d/f")
    let unknown = bytes.changed { $0[entries + 3 * 12 + 10] = 0 }
    let kind = #expect(throws: FileSystemError.self) { try paths(unknown, threads: threads) }
    #expect(kind?.check == .directory && kind?.path == "d")
  }

  /// Names count over all directories, and each path by itself.
  @Test(arguments: [1, 2])
  func keepsToTheLimits(threads: Int) throws {
    let bytes = try Self.wideTree().image()
    let names = try paths(bytes, threads: threads).count + 1
    #expect(try paths(bytes, threads: threads, limits: FileSystemLimits(entries: names)).count == names - 1)
    let many = #expect(throws: FileSystemError.self) {
      try paths(bytes, threads: threads, limits: FileSystemLimits(entries: names - 1))
    }
    #expect(many?.check == .limit)
    let deep = #expect(throws: FileSystemError.self) {
      try paths(bytes, threads: threads, limits: FileSystemLimits(depth: 2))
    }
    #expect(deep?.check == .limit)
  }
}
