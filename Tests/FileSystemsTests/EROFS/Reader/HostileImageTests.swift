import Base
import Verity
import FileSystems
import Linux
import Testing

/// Images whose hash tree is right and whose metadata is not: what the reader would meet if the builder were hostile.
@Suite struct HostileImageTests {
  /// A named change of a valid image and the check that must refuse it.
  struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let check: FileSystemError.Check
    let change: @Sendable (inout [UInt8], Places) -> Void
    var testDescription: String { name }
  }

  /// Where things are in the image of the small tree.
  struct Places {
    let root: Int
    let file: Int
    let tail: Int
    let subdirectory: Int
    let nested: Int
    let link: Int
    let rootEntries: Int
    let subdirectoryNid: UInt64
    let rootNid: UInt64
    let size: Int

    init(_ bytes: [UInt8]) throws {
      let image = try open(bytes)
      func offset(_ path: String) throws -> Int { Int(try image.lookup(path).offset) }
      root = try offset("")
      file = try offset("a")
      tail = try offset("tail")
      subdirectory = try offset("d")
      nested = try offset("d/e")
      link = try offset("s")
      let extents = try #require(try image.extents(of: try image.lookup("")))
      rootEntries = Int(try #require(extents.first?.imageOffset))
      subdirectoryNid = try image.lookup("d").nid
      rootNid = image.rootNid
      size = bytes.count
    }

    /// Entries of the root: `.`, `..`, a, block, d, s, t, tail.
    func entry(_ index: Int) -> Int { rootEntries + 12 * index }
    /// Its names begin after eight entries: `.`, `..`, `ablockdsttail`.
    var names: Int { rootEntries + 12 * 8 }
  }

  static let attacks: [Attack] = [
    Attack(name: "a byte in the boot area", check: .bootArea) { image, _ in image[700] = 1 },
    Attack(name: "another magic", check: .magic) { image, _ in image[1024] ^= 1 },
    Attack(name: "an unknown compatible feature", check: .feature) { image, _ in image[1034] = 1 },
    Attack(name: "48-bit addresses", check: .feature) { image, _ in image[1104] = 0x80 },
    Attack(name: "metadata compression", check: .feature) { image, _ in image[1105] = 1 },
    Attack(name: "an unknown compression", check: .feature) { image, _ in
      image[1104] = 2
      image[1108] = 0x10
    },
    Attack(name: "a device table", check: .feature) { image, _ in
      image[1104] = 8
      image[1110] = 1
    },
    Attack(name: "a header of composefs", check: .feature) { image, _ in
      image.storeLittleEndian(UInt32(0xd078_629a), at: 0)
    },
    Attack(name: "an unknown incompatible feature", check: .feature) { image, _ in image[1107] = 0x80 },
    Attack(name: "a device count", check: .feature) { image, _ in image[1110] = 1 },
    Attack(name: "directory block bits", check: .feature) { image, _ in image[1114] = 1 },
    Attack(name: "extension slots", check: .feature) { image, _ in image[1037] = 1 },
    Attack(name: "larger blocks", check: .deviceSize) { image, _ in image[1036] = 13 },
    Attack(name: "an impossible block size", check: .superblock) { image, _ in image[1036] = 63 },
    Attack(name: "one block more", check: .deviceSize) { image, _ in image[1060] += 1 },
    Attack(name: "a volume name without end", check: .superblock) { image, _ in
      for index in 1088..<1104 { image[index] = 0x41 }
    },
    Attack(name: "metadata beyond the end", check: .range) { image, _ in
      image.storeLittleEndian(UInt32.max, at: 1064)
    },
    Attack(name: "a root beyond the end", check: .range) { image, _ in image.storeLittleEndian(UInt16.max, at: 1038) },
    Attack(name: "a root that is a file", check: .wrongKind) { image, places in
      image.storeLittleEndian(UInt16(UInt64(places.file - places.root) / 32 + places.rootNid), at: 1038)
    },
    Attack(name: "unknown inode format bits", check: .feature) { image, places in image[places.file + 1] = 1 },
    Attack(name: "a chunked file without the feature", check: .inode) { image, places in image[places.file] = 8 },
    Attack(name: "a mode without file type", check: .inode) { image, places in
      image.storeLittleEndian(UInt16(0o644), at: places.file + 4)
    },
    Attack(name: "inline data across a block", check: .inode) { image, places in
      image.storeLittleEndian(UInt32(4096), at: places.file + 8)
    },
    Attack(name: "contents beyond the end", check: .range) { image, places in
      image.storeLittleEndian(UInt32(places.size / 4096), at: places.tail + 16)
    },
    Attack(name: "contents from the last block number", check: .range) { image, places in
      image.storeLittleEndian(UInt32.max, at: places.tail + 16)
    },
    Attack(name: "extended attributes beyond the end", check: .range) { image, places in
      image.storeLittleEndian(UInt16.max, at: places.file + 2)
    },
    Attack(name: "a file type that is not the inode's", check: .directory) { image, places in
      image[places.entry(2) + 10] = 7
    },
    Attack(name: "an unknown file type", check: .directory) { image, places in image[places.entry(2) + 10] = 0 },
    Attack(name: "a reserved byte", check: .directory) { image, places in image[places.entry(2) + 11] = 1 },
    Attack(name: "an inode number beyond the end", check: .range) { image, places in
      image.storeLittleEndian(UInt64.max, at: places.entry(2))
    },
    Attack(name: "an inode number that overflows times 32", check: .range) { image, places in
      image.storeLittleEndian(UInt64(1) << 59 + 40, at: places.entry(2))
    },
    Attack(name: "no entries", check: .directory) { image, places in
      image.storeLittleEndian(UInt16(0), at: places.entry(0) + 8)
    },
    Attack(name: "half an entry", check: .directory) { image, places in
      image.storeLittleEndian(UInt16(97), at: places.entry(0) + 8)
    },
    Attack(name: "names beyond the directory", check: .directory) { image, places in
      image.storeLittleEndian(UInt16(4092), at: places.entry(0) + 8)
    },
    Attack(name: "names that go back", check: .directory) { image, places in
      image.storeLittleEndian(UInt16(96), at: places.entry(4) + 8)
    },
    Attack(name: "a name of no bytes", check: .directory) { image, places in
      image.storeLittleEndian(UInt16(99), at: places.entry(3) + 8)
    },
    Attack(name: "names out of order", check: .directory) { image, places in image[places.names + 3] = 0x7a },
    Attack(name: "one name twice", check: .directory) { image, places in image[places.names + 11] = 0x73 },
    Attack(name: "a slash in a name", check: .directory) { image, places in image[places.names + 5] = 0x2f },
    Attack(name: "a NUL in a name", check: .directory) { image, places in image[places.names + 5] = 0 },
    Attack(name: "a name that is not UTF-8", check: .directory) { image, places in image[places.names + 5] = 0xff },
    Attack(name: "a dot that is another directory", check: .directory) { image, places in
      image.storeLittleEndian(places.subdirectoryNid, at: places.entry(0))
    },
    Attack(name: "two dots that lead elsewhere", check: .directory) { image, places in
      image.storeLittleEndian(places.subdirectoryNid, at: places.entry(1))
    },
    Attack(name: "no dots at all", check: .directory) { image, places in
      image[places.names] = 0x20
      image[places.names + 1] = 0x21
    },
    Attack(name: "a directory below itself", check: .tree) { image, places in
      image.storeLittleEndian(places.rootNid, at: places.entry(4))
    },
    Attack(name: "a directory of no bytes", check: .directory) { image, places in
      image.storeLittleEndian(UInt32(0), at: places.nested + 8)
    },
  ]

  @Test(arguments: attacks)
  func isRefused(attack: Attack) throws {
    let bytes = try SourceTree.small().image()
    let places = try Places(bytes)
    let changed = bytes.changed { attack.change(&$0, places) }
    let error = #expect(throws: FileSystemError.self) {
      let image = try open(changed)
      try image.walk { _ in }
    }
    let refusal = try #require(error)
    // A second name of a directory is met as a wrong `..` or as a second visit, whichever comes first.
    #expect(refusal.check == attack.check, "\(refusal)")
    #expect(refusal.check == .bootArea || refusal.offset != nil || refusal.nid != nil)
    // What is not read here may be sound; what contradicts itself is not.
    let category: Diagnostic.Category = [.feature, .magic].contains(attack.check) ? .unsupported : .integrity
    #expect(refusal.diagnostic.category == category && refusal.diagnostic.code == "erofs.\(attack.check.rawValue)")
  }

  /// Of the same parent, so that only the walk can notice.
  @Test func aSecondNameOfADirectoryIsRefused() throws {
    let tree = try SourceTree()
    for path in ["d", "d/e", "d/f"] { try tree.addDirectory(path) }
    let bytes = try tree.image()
    let image = try open(bytes)
    let entries = Int(try #require(try image.extents(of: try image.lookup("d"))?.first?.imageOffset))
    let nid = try image.lookup("d/e").nid
    // Its entries: `.`, `..`, e, f.
    let changed = try open(bytes.changed { $0.storeLittleEndian(nid, at: entries + 3 * 12) })
    let error = #expect(throws: FileSystemError.self) { try changed.walk { _ in } }
    #expect(error?.check == .tree && error?.path == "d/f")
  }

  @Test func aWrongChecksumIsRefused() throws {
    var bytes = try SourceTree.small().image()
    bytes[1028] ^= 1
    let error = #expect(throws: FileSystemError.self) { _ = try open(bytes) }
    #expect(error?.check == .checksum)
  }

  @Test func aDeviceWithoutRoomForASuperblockIsRefused() throws {
    let error = #expect(throws: FileSystemError.self) {
      _ = try ErofsImage(try MemoryImage.build(data: [UInt8](repeating: 0, count: 512), dataBlockSize: 512).device())
    }
    #expect(error?.check == .range)
    let zeros = #expect(throws: FileSystemError.self) { _ = try open([UInt8](repeating: 0, count: 4096)) }
    #expect(zeros?.check == .magic)
  }

  /// Other file systems begin as they like; what is none of ours is not called suspicious.
  @Test func onlyTheBootAreaOfAnErofsHasToBeEmpty() throws {
    let bytes = try SourceTree.small().image()
    let suspicious = #expect(throws: FileSystemError.self) { _ = try open(bytes.changed { $0[3] = 0x90 }) }
    #expect(suspicious?.check == .bootArea && suspicious?.diagnostic.isSuspicious == true)
    #expect(suspicious?.diagnostic.category == .integrity)
    let other = #expect(throws: FileSystemError.self) {
      _ = try open(
        bytes.changed {
          $0[3] = 0x90
          $0[1024] ^= 1
        })
    }
    #expect(other?.check == .magic && other?.diagnostic.category == .unsupported)
    #expect(other?.diagnostic.isSuspicious == false && other?.diagnostic.next?.contains("trust") == false)
  }

  @Test(arguments: [0x0000_0040, 0x0001_0000, 0xffff_ffff] as [UInt32])
  func unknownChunkFormatsAreRefused(format: UInt32) throws {
    let bytes = try SourceTree.small().image(["--chunksize=4096"])
    let offset = Int(try open(bytes).lookup("tail").offset)
    let image = try open(bytes.changed { $0.storeLittleEndian(format, at: offset + 16) })
    let inode = try image.lookup("tail")
    let error = #expect(throws: FileSystemError.self) { try image.readFile(inode, limit: 1 << 20) }
    #expect(error?.check == .feature && error?.isUnsupported == true)
    #expect(try image.obstacle(to: inode)?.check == .feature)
  }

  /// One file that is not read here keeps no other from being read.
  @Test func anUnknownLayoutIsRefusedWhenItIsRead() throws {
    let bytes = try SourceTree.small().image()
    let offset = Int(try open(bytes).lookup("block").offset)
    let image = try open(bytes.changed { $0[offset] = 0xa })
    try image.walk { _ in }
    let inode = try image.lookup("block")
    let error = #expect(throws: FileSystemError.self) { try image.readFile(inode, limit: 1 << 20) }
    #expect(error?.check == .feature && error?.diagnostic.category == .unsupported)
    #expect(try image.obstacle(to: inode)?.check == .feature)
    #expect(try image.obstacle(to: try image.lookup("tail")) == nil)
    #expect(try image.readFile(try image.lookup("tail"), limit: 1 << 20).count == 4200)
  }

  /// Below a hash tree the checksum adds nothing.
  @Test func anImageWithoutChecksumIsRead() throws {
    var bytes = try SourceTree.small().image()
    bytes[1032] &= 0xfe
    bytes[1028] ^= 1
    #expect(try open(bytes).readFile(try open(bytes).lookup("tail"), limit: 1 << 20).count == 4200)
  }

  /// A name's prefix is of no use without the attributes, which are not read.
  @Test func longAttributePrefixesAreNoObstacle() throws {
    let bytes = try SourceTree.small().image().changed {
      $0[1104] |= 0x40
      $0[1115] = 1
    }
    try open(bytes).walk { _ in }
  }

  @Test func chunksElsewhereAreRefused() throws {
    let bytes = try SourceTree.small().image(["--chunksize=4096", "-Eforce-chunk-indexes"])
    let inode = try open(bytes).lookup("tail")
    let table = Int(inode.offset) + 32
    for (value, place, check) in [
      (UInt32(0x1_0000), table, FileSystemError.Check.feature), (1, table, .feature), (0x7fff_ffff, table + 4, .range),
      (UInt32(bytes.count / 4096), table + 4, .range),
    ] {
      let image = try open(bytes.changed { $0.storeLittleEndian(value, at: place) })
      let error = #expect(throws: FileSystemError.self) { try image.readFile(try image.lookup("tail"), limit: 1 << 20) }
      #expect(error?.check == check)
    }
    // The largest chunk there can be makes one table entry enough for any size; the size alone is then the limit.
    let huge = bytes.changed {
      $0[Int(inode.offset)] |= 1
      $0.storeLittleEndian(UInt64(Int64.max), at: Int(inode.offset) + 8)
    }
    let image = try open(huge)
    #expect(throws: FileSystemError.self) { try image.readFile(try image.lookup("tail"), limit: .max) }
  }
}
