import Base
import Verity
import FileSystems
import Linux
import TestSupport
import Testing

/// An image made by the writer, and what was put into it.
struct WrittenImage {
  /// In the order they were added; the last one was added last.
  let files: [(path: String, contents: [UInt8])]
  let bytes: [UInt8]

  init(_ files: [(path: String, contents: [UInt8])], limits: FileSystemLimits = FileSystemLimits()) throws {
    self.files = files
    var writer = ErofsWriter(limits: limits)
    var sink = ArraySink()
    for file in files.dropLast() { try writer.add(file.path, file.contents.rawSpan, to: &sink) }
    let last = try #require(files.last)
    let ending = try writer.end(with: last.path, byteCount: UInt64(last.contents.count), to: &sink)
    try ending.write(last.contents.rawSpan, uuid: Array(1...16), to: &sink)
    bytes = sink.bytes
    #expect(ending.blockCount * 4096 == UInt64(bytes.count))
  }

  /// The directories above the files, without the root,
  /// by their bytes: as strings, two names of different bytes can be equal.
  var directories: Set<[UInt8]> {
    var directories: Set<[UInt8]> = []
    for file in files {
      var path = Array(file.path.utf8)
      while let slash = path.lastIndex(of: UInt8(ascii: "/")) {
        path.removeSubrange(slash...)
        directories.insert(path)
      }
    }
    return directories
  }

  /// Reads everything with our own reader, which refuses whatever is not in order.
  func readAll(limits: FileSystemLimits = FileSystemLimits()) throws {
    let image = try ErofsImage(try MemoryImage.build(data: bytes, salt: [1]).device(), limits: limits)
    #expect(image.superblock.uuid == Array(1...16) && image.superblock.volumeName.isEmpty)
    #expect(image.superblock.inodeCount == UInt64(files.count + directories.count + 1))
    var found: [[UInt8]: FileSystemInode] = [:]
    var foundDirectories = 0
    try image.walk { entry throws(FileSystemError) in
      #expect(entry.inode.owner == 0 && entry.inode.group == 0)
      if entry.inode.kind == .directory {
        foundDirectories += 1
        #expect(entry.inode.permissions == 0o555)
      } else {
        #expect(entry.inode.kind == .regular && entry.inode.permissions == 0o444 && entry.inode.linkCount == 1)
        found[Array(entry.path.utf8)] = entry.inode
      }
    }
    #expect(found.count == files.count && foundDirectories == directories.count + 1)
    #expect(try image.files().map(\.path) == files.map(\.path).sortedBytewise())
    for (index, file) in files.enumerated() {
      let inode = try #require(found[Array(file.path.utf8)], "\(file.path)")
      #expect(try image.readFile(inode, limit: file.contents.count) == file.contents, "\(file.path)")
      // The walk reads directories from one end to the other, a lookup bisects them.
      if files.count < 1000 || index % 97 == 0 { #expect(try image.lookup(file.path) == inode) }
    }
  }

  /// Has erofs-utils check the image and unpack it, and the kernel mount it, and compares what comes out.
  func checkWithFsck(in directory: TemporaryDirectory, mounts: Bool) throws {
    let path = try directory.write("image", bytes)
    let target = directory.file("extracted")
    let text = try Tools.run("fsck.erofs", "--extract=\(target)", path)
    #expect(!text.contains("rror") && !text.contains("arn"), "\(text)")
    try compare(target, directory)
    guard mounts else { return }
    guard Tools.isRoot else { return print("the kernel was not asked: mounting needs root") }
    let mounted = try MountedImage(path, in: directory)
    try compare(mounted.mountPoint, directory)
    let modes = try Tools.run("sh", "-c", "cd '\(mounted.mountPoint)' && find . -printf '%m %y %U %G %T@\\n' | sort -u")
    let expected = ["444 f 0 0 0.0000000000", "555 d 0 0 0.0000000000"]
    #expect(modes.split(separator: "\n").map(String.init) == expected, "\(modes)")
  }

  /// Compares a tree on disk with what was packed.
  private func compare(_ root: String, _ directory: TemporaryDirectory) throws {
    for file in files {
      let bytes = try directory.read("\(root)/\(file.path)")
      #expect(bytes == file.contents, "\(file.path)")
    }
    let count = try Tools.run(
      "sh", "-c", "cd '\(root)' && for type in f d; do find . -type $type -printf x | wc -c; done")
    #expect(count.split(separator: "\n").map { Int($0) } == [files.count, directories.count + 1], "\(count)")
  }
}

extension SplitMix {
  /// Pieces of a pool of random bytes: two places that should differ do.
  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let start = Int.random(in: 0..<Self.pool.count / 2, using: &self)
      bytes += Self.pool[start..<min(Self.pool.count, start + count - bytes.count)]
    }
    return bytes
  }

  private static let pool: [UInt8] = {
    var generator = SplitMix(state: 42)
    var pool: [UInt8] = []
    for _ in 0..<(16 << 10) { pool.appendLittleEndian(generator.next()) }
    return pool
  }()
}
