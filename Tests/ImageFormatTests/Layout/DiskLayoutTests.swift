import Base
import Verity
import ImageFormat
import Linux
import TestSupport
import Testing

/// Finding the tree behind a file system, with images of mkfs.erofs.
@Suite struct DiskLayoutTests {
  /// An EROFS image with a tree behind it.
  static func image() throws -> MemoryImage {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("root"))
    try directory.write("root/hello", [UInt8](repeating: 7, count: 10000))
    try Tools.run("mkfs.erofs", "-T0", directory.file("image"), directory.file("root"))
    let data = try directory.read("image")
    return try MemoryImage.build(data: data, salt: [9, 9])
  }

  static func isInstalled() -> Bool { (try? Subprocess.run(["mkfs.erofs", "-V"])) != nil }

  @Test(.enabled(if: isInstalled(), "mkfs.erofs is not installed"))
  func findsTheTreeBehindTheFileSystem() throws {
    let image = try Self.image()
    let source = ArraySource(image.bytes)
    let offset = image.layout.superblockOffset
    #expect(try DiskLayout.appended(in: source) == image.layout)
    #expect(try DiskLayout.appended(in: source, hashOffset: offset) == image.layout)
    #expect(throws: LayoutError.verity(.noSuperblock(offset: 512))) {
      try DiskLayout.appended(in: source, hashOffset: 512)
    }
    #expect(throws: LayoutError.self) { try DiskLayout.appended(in: source, hashOffset: offset + 1) }
    #expect(throws: LayoutError.self) { try DiskLayout.appended(in: source, hashOffset: .max) }
    #expect(throws: LayoutError.self) { try DiskLayout.appended(in: source, hashOffset: .max - 511) }

    // Another number of file system blocks points at another place, where no superblock is.
    for blocks: UInt32 in [0, 1, 2, 1000, .max] {
      var bytes = image.bytes
      bytes.storeLittleEndian(blocks, at: 1024 + 36)
      #expect(throws: LayoutError.self) { try DiskLayout.appended(in: ArraySource(bytes)) }
    }
    for blockBits: UInt8 in [0, 8, 11, 13, 17, 64, 255] {
      var bytes = image.bytes
      bytes[1024 + 12] = blockBits
      #expect(throws: LayoutError.self) { try DiskLayout.appended(in: ArraySource(bytes)) }
    }
    // The file system and the tree disagree about the number of blocks.
    var bytes = image.bytes
    bytes.storeLittleEndian(image.layout.parameters.dataBlockCount - 1, at: Int(offset) + 72)
    #expect(throws: LayoutError.self) { try DiskLayout.appended(in: ArraySource(bytes)) }
  }

  /// The superblock of one that has its contents elsewhere does not say where the tree is.
  @Test(.enabled(if: isInstalled(), "mkfs.erofs is not installed"))
  func namesTheDevicesOfAnIndex() throws {
    let image = try Self.image()
    let offset = image.layout.superblockOffset
    var bytes = image.bytes
    bytes.storeLittleEndian(UInt16(2), at: 1024 + 86)
    // Where a tree is found all the same, the reader of the file system says it.
    #expect(try DiskLayout.appended(in: ArraySource(bytes)) == image.layout)
    bytes.insert(contentsOf: [UInt8](repeating: 0, count: 4096), at: Int(offset))
    let error = #expect(throws: LayoutError.severalDevices(count: 2, superblockOffset: offset)) {
      try DiskLayout.appended(in: ArraySource(bytes))
    }
    #expect(error?.diagnostic.category == .unsupported && error?.diagnostic.next?.contains("--hash-offset") == true)
    bytes.storeLittleEndian(UInt16(0), at: 1024 + 86)
    #expect(throws: LayoutError.verity(.noSuperblock(offset: offset))) {
      try DiskLayout.appended(in: ArraySource(bytes))
    }
  }

  @Test func saysWhatIsMissing() {
    for count in [0, 1, 1024, 1151, 1152, 8192] {
      let source = ArraySource([UInt8](repeating: 0, count: count))
      let error = #expect(throws: LayoutError.noFileSystem(byteCount: UInt64(count))) {
        try DiskLayout.appended(in: source)
      }
      #expect(error?.diagnostic.next?.contains("--hash-offset") == true)
    }
  }
}
