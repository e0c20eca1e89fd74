import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Generated trees, packed by mksquashfs in every way that it has, and read here and by the kernel.
@Suite(.enabled(if: SquashfsTools.areInstalled, "mksquashfs is not installed"))
struct SquashfsOracleTests {
  static let ways = [
    "", "-comp xz", "-comp lz4", "-comp lz4 -Xhc -b 4096", "-comp zstd", "-comp zstd -Xcompression-level 1 -b 1M",
    "-comp gzip -Xstrategy fixed,filtered -Xwindow-size 9",
    "-comp xz -Xbcj x86 -Xdict-size 50% -b 256K", "-no-fragments",
    "-always-use-fragments -b 1M", "-noI -noD -noF -noX", "-noI", "-noD -comp lz4", "-noF -noId -comp zstd",
    "-no-exports", "-no-exports -no-fragments -noI -b 4096", "-no-sparse", "-no-duplicates -comp zstd", "-no-xattrs",
    "-nopad", "-tailends -b 8192", "-all-root -no-exports -comp xz",
  ]

  static func image(_ way: String, of tree: PeerTree) throws -> [UInt8] {
    try tree.image(
      ["mksquashfs", "TREE", "IMAGE", "-quiet", "-no-progress", "-noappend"]
        + way.split(separator: " ").map(String.init))
  }

  @Test(arguments: Array(ways.enumerated()))
  func readsWhatWasPacked(number: Int, way: String) throws {
    let tree = try PeerTree(seed: UInt64(number % 5 + 1))
    let image = try open512(try Self.image(way, of: tree))
    #expect(image.format == .squashfs && image.uuid == nil)
    if !way.contains("all-root") { try tree.compare(image, with: tree.root, isMount: false) }
    guard Tools.isRoot else { return }
    let mounted: MountedImage
    do {
      mounted = try MountedImage(tree.directory.file("packed"), in: tree.directory, type: "squashfs")
    } catch {
      // Kernels are built without some of the compressions.
      print("skipped: this kernel does not mount \(way): \(error)")
      return
    }
    try tree.compare(image, with: mounted.mountPoint, isMount: true)
  }

  /// Also what was verified is forgotten on the way, and threads share the directories.
  @Test(arguments: ["", "-no-exports -comp zstd"]) func walksOfAllKindsAgree(way: String) throws {
    let tree = try PeerTree(seed: 9)
    let bytes = try Self.image(way, of: tree)
    try expectWalksAgree(bytes)
  }

  @Test(arguments: ["lzo", "lzma"]) func otherCompressionsAreNamed(name: String) throws {
    let tree = try PeerTree(seed: 1)
    guard let bytes = try? Self.image("-comp \(name)", of: tree) else {
      print("skipped: this mksquashfs knows no \(name)")
      return
    }
    let error = #expect(throws: FileSystemError.self) { _ = try open512(bytes) }
    #expect(
      error?.check == .feature && error?.found == name && error?.diagnostic.code == "squashfs.unsupported-feature")
  }

  /// A directory of many names has an index, by which one is found without reading the others.
  @Test func manyNames() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("tree"))
    let count = 20_000
    for number in 0..<count { try directory.write("tree/a-name-of-\(number)", "") }
    let path = directory.file("image")
    try Tools.run("mksquashfs", directory.file("tree"), path, "-quiet", "-no-progress", "-noI")
    let image = try open512(try readAll(path))
    var walked = 0
    try image.walkNames { _, _, _ in walked += 1 }
    #expect(walked == count)
    for number in stride(from: 0, to: count, by: 997) {
      let inode = try image.lookup("a-name-of-\(number)")
      #expect(try image.inode(numbered: inode.number) == inode)
    }
    let limits = FileSystemLimits(entries: 10_000)
    let small = try open512(try readAll(path), limits: limits)
    let error = #expect(throws: FileSystemError.self) { try small.walkNames { _, _, _ in } }
    #expect(error?.check == .limit && error?.diagnostic.code == "squashfs.too-large")
  }
}

/// Programs of squashfs-tools.
enum SquashfsTools {
  static let areInstalled = (try? Subprocess.run(["mksquashfs", "-version"])) != nil
}
