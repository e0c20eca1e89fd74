import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Generated trees, packed by mke2fs in every way that it has, and read here, by e2fsprogs and by the kernel.
@Suite(.enabled(if: Ext4Tools.areInstalled, "mke2fs is not installed"))
struct Ext4OracleTests {
  static let ways = [
    "-t ext4 -b 4096", "-t ext4 -b 1024", "-t ext4 -b 2048", "-t ext2 -b 4096", "-t ext2 -b 1024", "-t ext3 -b 1024",
    "-t ext2 -b 1024 -r 0", "-t ext4 -O ^has_journal", "-t ext4 -b 1024 -O inline_data",
    "-t ext4 -I 1024 -O inline_data",
    "-t ext4 -b 1024 -O ^extents,^64bit", "-t ext4 -b 1024 -O meta_bg,^resize_inode -g 256",
    "-t ext4 -b 1024 -O meta_bg,^resize_inode,^sparse_super -g 512", "-t ext4 -O bigalloc -C 16384",
    "-t ext4 -O metadata_csum,metadata_csum_seed,64bit", "-t ext4 -O ^metadata_csum,uninit_bg", "-t ext4 -I 128",
    "-t ext4 -O ^filetype -b 1024", "-t ext4 -b 1024 -O sparse_super2,^resize_inode -g 1024",
    "-t ext4 -b 1024 -O ^flex_bg",
    "-t ext4 -O large_dir,ea_inode,quota,project", "-t ext4 -O encrypt,casefold,verity,stable_inodes,mmp",
    "-t ext4 -O orphan_file,fast_commit",
  ]

  /// - Parameter isHashed: whether directories get hashes, as the kernel writes them.
  static func image(_ way: String, of tree: PeerTree, isHashed: Bool = false) throws -> [UInt8] {
    let made = try tree.image(
      ["mke2fs", "-q", "-F", "-d", "TREE"] + way.split(separator: " ").map(String.init) + ["IMAGE", "12M"])
    guard isHashed else { return made }
    let path = tree.directory.file("packed")
    let result = try Subprocess.run(["e2fsck", "-f", "-y", "-D", path])
    guard result.status <= 1 else { throw TestFailure(result.text) }
    return try readAll(path)
  }

  @Test(arguments: ways, [false, true])
  func readsWhatWasPacked(way: String, isHashed: Bool) throws {
    let tree = try PeerTree(seed: UInt64(way.utf8.count % 5 + 1))
    let bytes: [UInt8]
    do {
      bytes = try Self.image(way, of: tree, isHashed: isHashed)
    } catch {
      print("skipped: this mke2fs does not make \(way): \(error)")
      return
    }
    let image = try open512(bytes)
    #expect(image.format == .ext4 && image.uuid?.count == 16)
    // mke2fs 1.47 loses contents behind a hole at the beginning of a file that it takes for one that fits into its inode: what
    // it wrote there is compared with the kernel's mount alone.
    if !way.contains("inline_data") {
      try tree.compare(image, with: tree.root, isMount: false, ignoring: ["lost+found"])
    }
    guard Tools.isRoot else { return }
    let mounted: MountedImage
    do {
      mounted = try MountedImage(tree.directory.file("packed"), in: tree.directory, type: "ext4")
    } catch {
      print("skipped: this kernel does not mount \(way): \(error)")
      return
    }
    try tree.compare(image, with: mounted.mountPoint, isMount: true)
  }

  @Test func walksOfAllKindsAgree() throws {
    let tree = try PeerTree(seed: 9)
    let bytes = try Self.image("-t ext4 -b 1024", of: tree, isHashed: true)
    try expectWalksAgree(bytes)
  }

  /// Holes, extents that were never written, trees of several levels.
  @Test(arguments: ["-t ext4 -b 1024", "-t ext2 -b 1024"]) func largeFiles(way: String) throws {
    let tree = try PeerTree(seed: 2)
    // Every second block: more extents than fit into an inode, or a block.
    var contents = [UInt8](repeating: 0, count: 900 << 10)
    for block in stride(from: 0, to: 900, by: 2) { contents[block << 10] = UInt8(truncatingIfNeeded: block) | 1 }
    try tree.directory.write("tree/striped", contents)
    let image = try open512(try Self.image(way, of: tree))
    let inode = try image.lookup("striped")
    #expect(try image.readFile(inode, limit: 1 << 20) == contents)
    #expect(try image.readFile(inode, in: 1025..<500_000) == Array(contents[1025..<500_000]))
    #expect(try image.storedPlace(of: inode) != nil)
  }

  /// What would change what is read, or has no bytes to read, is refused by its name.
  @Test(arguments: [
    ("needs_recovery", "RECOVER"), ("journal_dev", "JOURNAL_DEV"), ("FEATURE_I31", "unknown bit 31"),
    ("FEATURE_R30", "unknown bit 30"), ("FEATURE_C29", "unknown bit 29"),
  ])
  func featuresAreNamed(feature: String, found: String) throws {
    let tree = try PeerTree(seed: 1)
    _ = try Self.image("-t ext4 -O ^metadata_csum", of: tree)
    let path = tree.directory.file("packed")
    try Tools.run("debugfs", "-w", "-R", "feature \(feature)", path)
    let error = #expect(throws: FileSystemError.self) { _ = try open512(try readAll(path)) }
    #expect(error?.check == .feature && error?.found.hasPrefix(found) == true, "\(String(describing: error))")
    #expect(error?.diagnostic.code == "ext4.unsupported-feature")
  }

  /// A marked file is passed over where it is not asked for.
  @Test(arguments: [
    ("0x80800", "an encrypted one"), ("0x180000", "one with fs-verity"), ("0x80004", "a compressed one"),
  ])
  func filesAreNamed(flags: String, found: String) throws {
    let tree = try PeerTree(seed: 1)
    _ = try Self.image("-t ext4 -O ^metadata_csum,encrypt,verity", of: tree)
    let path = tree.directory.file("packed")
    try Tools.run("debugfs", "-w", "-R", "set_inode_field /sparse flags \(flags)", path)
    let image = try open512(try readAll(path))
    let inode = try image.lookup("sparse")
    #expect(try image.obstacle(to: inode)?.found == found)
    let error = #expect(throws: FileSystemError.self) { _ = try image.readFile(inode, limit: 1 << 30) }
    #expect(error?.check == .feature && error?.found == found)
    #expect(try image.readFile(image.lookup("d0/file-0"), limit: 1 << 30) == tree.generated.files["d0/file-0"])
  }
}

/// Programs of e2fsprogs.
enum Ext4Tools {
  static let areInstalled = (try? Subprocess.run(["mke2fs", "-V"])) != nil
}
