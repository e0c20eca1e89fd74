import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Changed images, each under a fresh hash tree: 200 of every way. Checksums are left out, so that the changes are met.
@Suite(.enabled(if: Ext4Tools.areInstalled, "mke2fs is not installed"))
struct Ext4MutationTests {
  private static let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)

  @Test(
    arguments: [
      ("-t ext4 -b 1024 -O ^metadata_csum,^has_journal,^resize_inode", 1),
      ("-t ext2 -b 1024 -O ^resize_inode", 2), ("-t ext4 -b 1024 -O ^metadata_csum,^has_journal,inline_data", 3),
      ("-t ext4 -b 1024 -O ^metadata_csum,^has_journal,meta_bg,^resize_inode -g 256", 4),
      ("-t ext4 -b 1024 -O ^has_journal", 5),
    ] as [(String, UInt64)])
  func changedImagesEndInAResultOrARefusal(way: String, seed: UInt64) throws {
    let directory = try SquashfsMutationTests.tree()
    var striped = [UInt8](repeating: 0, count: 100 << 10)
    for block in stride(from: 0, to: 100, by: 2) { striped[block << 10] = 1 }
    try directory.write("tree/striped", striped)
    let path = directory.file("image")
    try Tools.run(
      ["mke2fs", "-q", "-F", "-N", "160", "-d", directory.file("tree")] + way.split(separator: " ").map(String.init)
        + [path, "1M"])
    _ = try Subprocess.run(["e2fsck", "-f", "-y", "-D", path])
    let bytes = try readAll(path)
    let places = try Self.metadata(bytes)
    var generator = SplitMix(state: seed)
    var (refused, read, compared) = (0, 0, 0)
    for round in 0..<200 {
      let changed = bytes.damaged(at: places, using: &generator)
      switch try everything(changed, limits: Self.limits) {
      case .failure(let error):
        refused += 1
        #expect(error.check != .block && error.check != .missingLibrary && error.check != .bootArea, "\(error)")
        #expect(error.format == .ext4 || error.check == .magic, "round \(round): \(error)")
      case .success(let contents):
        read += 1
        // A sixth of them also against debugfs: where both read a file, both read the same.
        // debugfs 1.47 writes nothing of what is in inodes.
        guard round % 6 == 0, !way.contains("inline_data") else { continue }
        let target = directory.file("extracted-\(round)")
        try Directory.create(target)
        try directory.write("changed", changed)
        let result = try Subprocess.run(
          ["timeout", "20", "debugfs", "-R", "rdump / \(target)", directory.file("changed")])
        guard result.status == 0, !result.text.contains(": ") else { continue }
        compared += 1
        for (path, bytes) in contents {
          guard let status = try? FileStatus.of(path: "\(target)/\(path)", followLinks: false), status.kind == .regular
          else { continue }
          #expect(try readAll("\(target)/\(path)") == bytes, "round \(round): \(path)")
        }
      }
    }
    #expect(refused > 15 && read > 5, "\(refused) refused, \(read) read, \(compared) compared")
  }

  /// Superblock, group descriptors, inodes and directories; blocks of extents are among the blocks that are sampled.
  private static func metadata(_ bytes: [UInt8]) throws -> [Int] {
    let image = try open512(bytes)
    var places =
      Array(1024..<1024 + 380) + Array(2048..<2048 + 64) + Array(stride(from: 4096, to: bytes.count / 2, by: 97))
    try image.walk { entry throws(FileSystemError) in
      let offset = Int(entry.inode.offset)
      places += Array(offset..<offset + 110)
      if !entry.path.hasPrefix("d/some") { places += Array(offset..<offset + 110) }
    }
    return places.filter { $0 < bytes.count }
  }

  /// A checksum that does not fit is refused, whatever it is of.
  @Test func checksumsAreChecked() throws {
    let directory = try SquashfsMutationTests.tree()
    let path = directory.file("image")
    try Tools.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", directory.file("tree"), path, "8M")
    let bytes = try readAll(path)
    let image = try open512(bytes)
    func refusal(_ place: Int) throws -> FileSystemError? {
      var changed = bytes
      changed[place] ^= 1
      guard case .failure(let error) = try everything(changed, limits: Self.limits) else { return nil }
      return error
    }
    // The time of the last mount, an inode's time of access, a group's number of free blocks.
    #expect(try refusal(1024 + 44)?.check == .checksum)
    #expect(try refusal(Int(image.lookup("a").offset) + 8)?.check == .metadataChecksum)
    #expect(try refusal(2048 + 12)?.check == .metadataChecksum)
  }

  /// A boot loader before the superblock could as well be hash blocks.
  @Test func theBootAreaHasToBeEmpty() throws {
    let directory = try SquashfsMutationTests.tree()
    let path = directory.file("image")
    try Tools.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", directory.file("tree"), path, "2M")
    var bytes = try readAll(path)
    bytes[510] = 0x55
    guard case .failure(let error) = try everything(bytes, limits: Self.limits) else {
      Issue.record("an image with a boot loader was read")
      return
    }
    #expect(error.check == .feature && error.found == "a boot loader")
  }

  /// A node of extents of no blocks could lead to one block any number of times.
  @Test func extentsHaveBlocks() throws {
    let directory = try SquashfsMutationTests.tree()
    let path = directory.file("image")
    try Tools.run(
      "mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum", "-d", directory.file("tree"), path, "2M"
    )
    var bytes = try readAll(path)
    let inode = try open512(bytes).lookup("tail")
    bytes.storeLittleEndian(0 as UInt16, at: Int(inode.offset) + 40 + 12 + 4)
    guard case .failure(let error) = try everything(bytes, limits: Self.limits) else {
      Issue.record("an extent of no blocks was read")
      return
    }
    #expect(error.check == .inode && error.nid == inode.nid)
  }

  @Test func cutImagesAreRefused() throws {
    let directory = try SquashfsMutationTests.tree()
    let path = directory.file("image")
    try Tools.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", directory.file("tree"), path, "2M")
    let bytes = try readAll(path)
    for count in stride(from: 2048, to: bytes.count, by: 65536) {
      guard case .failure(let error) = try everything(Array(bytes[..<count]), limits: Self.limits) else {
        Issue.record("an image cut to \(count) bytes was read")
        continue
      }
      #expect(error.check == .deviceSize)
    }
  }
}
