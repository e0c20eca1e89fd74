import Base
import FileSystems
import Glibc
import Linux
import TestSupport
import Testing
import Verity

/// A generated tree with every kind of file, which other people's programs pack; what they packed is held against it.
final class PeerTree {
  let generated: GeneratedTree
  var directory: TemporaryDirectory { generated.directory }
  var root: String { "\(directory.path)/tree" }

  init(seed: UInt64) throws {
    generated = try GeneratedTree(seed: seed)
    try Directory.create("\(root)/empty")
    try Directory.create("\(root)/kinds")
    try directory.write("tree/name with spaces, ünïcode and \"quotes\"", "text")
    try directory.write("tree/\(String(repeating: "n", count: 255))", "long")
    var path = "deep"
    try Directory.create("\(root)/\(path)")
    for level in 0..<30 {
      path += "/\(level)"
      try Directory.create("\(root)/\(path)")
    }
    try directory.write("tree/\(path)/bottom", "bottom")
    symlink("d0/file-0", "\(root)/kinds/link")
    symlink(String(repeating: "l/", count: 300), "\(root)/kinds/long-link")
    link("\(root)/d0/file-0", "\(root)/kinds/twin")
    mkfifo("\(root)/kinds/fifo", 0o640)
    if Tools.isRoot {
      mknod("\(root)/kinds/character", S_IFCHR | 0o600, 0x501)
      mknod("\(root)/kinds/block", S_IFBLK | 0o660, 0x1117_0370)
      mknod("\(root)/kinds/socket", S_IFSOCK | 0o755, 0)
      chown("\(root)/kinds/fifo", 1000, 70_000)
      chown("\(root)/empty", 4_000_000_000, 12)
    }
    chmod("\(root)/d0/file-2", 0o4755)
    chmod("\(root)/many", 0o1777)
  }

  /// Packs the tree by a program; the image's path comes last but one, or where `IMAGE` and `TREE` stand.
  func image(_ words: [String]) throws -> [UInt8] {
    let path = directory.file("packed")
    unlink(path)
    let result = try Subprocess.run(words.map { $0 == "IMAGE" ? path : $0 == "TREE" ? root : $0 })
    guard result.status == 0 else { throw TestFailure(result.text) }
    return try readAll(path)
  }

  /// Holds every file of an image against a directory with the same tree: the source, or the kernel's mount of the image.
  ///
  /// - Parameters:
  ///   - isMount: whether the numbers of inodes are the image's.
  ///   - ignored: names in the root that the packer made.
  func compare(
    _ image: borrowing AnyFileSystem<VerifiedDevice<ArraySource>>, with root: String, isMount: Bool,
    ignoring ignored: Set<String> = []
  ) throws {
    var paths: Set<String> = []
    var found: [(FileSystemEntry, FileSystemInode)] = []
    try image.walk { entry throws(FileSystemError) in
      guard !ignored.contains(String(entry.path.prefix { $0 != "/" })) else { return }
      paths.insert(entry.path)
      found.append((entry, try image.lookup(entry.path)))
    }
    for (entry, again) in found {
      #expect(again == entry.inode, "\(entry.path)")
      let (inode, path) = (entry.inode, entry.path.isEmpty ? root : "\(root)/\(entry.path)")
      let status = try FileStatus.of(path: path, followLinks: false)
      #expect(inode.kind.name.hasPrefix(status.kind.rawValue), "\(path)")
      #expect(status.mode & 0o7777 == UInt32(inode.permissions), "\(path)")
      // Who made the source's root directory, and when it was made, is the packer's affair.
      if !entry.path.isEmpty || isMount {
        #expect(status.owner == UInt64(inode.owner) && status.group == UInt64(inode.group), "\(path)")
        if inode.kind != .directory || isMount { #expect(status.linkCount == UInt64(inode.linkCount), "\(path)") }
      }
      if isMount {
        #expect(status.inode == inode.number, "\(path)")
        #expect(try image.inode(numbered: status.inode) == inode, "\(path)")
      }
      switch inode.kind {
      case .regular:
        #expect(try image.obstacle(to: inode) == nil)
        let contents = try image.readFile(inode, limit: 16 << 20)
        #expect(try contents == readAll(path), "\(path)")
        let middle = inode.size * 2 / 3
        #expect(try image.readFile(inode, in: middle..<inode.size) == Array(contents[Int(middle)...]), "\(path)")
        #expect(try image.readPrefix(of: inode, count: 100) == Array(contents.prefix(100)), "\(path)")
      case .symbolicLink:
        var buffer = [CChar](repeating: 0, count: 5000)
        let count = readlink(path, &buffer, buffer.count)
        #expect(try image.linkTarget(inode) == buffer.prefix(count).map { UInt8(bitPattern: $0) }, "\(path)")
      case .directory, .characterDevice, .blockDevice, .fifo, .socket: break
      }
    }
    let there = try Subprocess.run(["find", root, "-mindepth", "1", "-printf", "%P\\0"]).output
    let names = there.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      .filter { !ignored.contains(String($0.prefix { $0 != "/" })) }
    #expect(Set(names + [""]) == paths)
    #expect((try? image.lookup("no/such/file")) == nil && (try? image.lookup("many/a-name-of")) == nil)
  }
}

/// Whatever is read of an image, or the refusal.
func everything(
  _ bytes: [UInt8], limits: FileSystemLimits, decompressor: any BlockDecompressor = LibraryBlockDecompressor()
) throws -> Result<[String: [UInt8]], FileSystemError> {
  let device = try MemoryImage.build(data: bytes, dataBlockSize: 512, salt: [1]).device()
  do throws(FileSystemError) {
    let image = try AnyFileSystem(device, limits: limits, decompressor: decompressor)
    var contents: [String: [UInt8]] = [:]
    try image.walk { entry throws(FileSystemError) in
      switch entry.inode.kind {
      case .regular:
        if let obstacle = try image.obstacle(to: entry.inode) { throw obstacle }
        _ = try image.storedPlace(of: entry.inode)
        contents[entry.path] = try image.readFile(entry.inode, limit: limits.fileBytes)
        _ = try? image.inode(numbered: entry.inode.number)
      case .symbolicLink: contents[entry.path] = try image.linkTarget(entry.inode)
      case .directory, .characterDevice, .blockDevice, .fifo, .socket: contents[entry.path] = []
      }
      if contents.count < 20 { _ = try image.lookup(entry.path) }
    }
    return .success(contents)
  } catch {
    return .failure(error)
  }
}
