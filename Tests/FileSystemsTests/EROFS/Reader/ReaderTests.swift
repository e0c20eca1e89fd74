import Base
import Verity
import FileSystems
import Linux
import TestSupport
import Testing

/// Images made by mkfs.erofs, compared with the tree they were made of and with dump.erofs.
@Suite struct ReaderTests {
  static let variants: [[String]] = [
    [], ["-Eforce-inode-extended"], ["-Enoinline_data"], ["-Eforce-inode-extended,noinline_data"],
    ["--chunksize=4096", "-Eforce-inode-blockmap"], ["--chunksize=16384"],
    ["--chunksize=4096", "-Eforce-chunk-indexes"],
  ]

  @Test(arguments: variants)
  func readsWhatWasPacked(options: [String]) throws {
    let tree = try SourceTree.everyShape()
    let bytes = try tree.image(options)
    let image = try open(bytes)
    var found: [String: FileSystemInode] = [:]
    var order: [String] = []
    try image.walk { entry throws(FileSystemError) in
      #expect(found[entry.path] == nil)
      found[entry.path] = entry.inode
      order.append(entry.path)
    }
    // The same without what the names lead to.
    var names: [String] = []
    try image.walkNames { place, kind, nid throws(FileSystemError) in
      let path = place.text
      #expect(found[path]?.kind == kind && found[path]?.nid == nid, "\(path)")
      names.append(path)
    }
    #expect(names == order.filter { found[$0]?.kind != .directory })
    let expected = Set(tree.files.keys).union(tree.directories).union(tree.links.keys)
    #expect(Set(found.keys) == expected)
    for (path, contents) in tree.files {
      let inode = try #require(found[path])
      #expect(inode.kind == .regular && inode.permissions == 0o644 && inode.owner == 0)
      #expect(try image.readFile(inode, limit: contents.count) == contents, "\(path)")
      // The extents are the contents' places in the image, for whoever wants to point at them.
      var gathered: [UInt8] = []
      for extent in try #require(try image.extents(of: inode)) {
        #expect(extent.fileOffset == UInt64(gathered.count))
        if let offset = extent.imageOffset {
          gathered += bytes[Int(offset)..<Int(offset + extent.count)]
        } else {
          gathered += repeatElement(0, count: Int(extent.count))
        }
      }
      #expect(gathered == contents, "\(path)")
      if !contents.isEmpty {
        #expect(throws: FileSystemError.self) { try image.readFile(inode, limit: contents.count - 1) }
      }
    }
    for path in tree.directories { #expect(found[path]?.kind == .directory) }
    for (path, target) in tree.links {
      let inode = try #require(found[path])
      #expect(try image.linkTarget(inode) == Array(target.utf8))
      #expect(throws: FileSystemError.self) { try image.readFile(inode, limit: 4096) }
    }
    for (path, other) in tree.twins { #expect(found[path]?.nid == found[other]?.nid && found[path]?.linkCount == 3) }
    let twin = try #require(found["twin"])
    #expect(try image.firstPath(of: twin.nid) == "deep/twin")
    // A directory comes before what it holds.
    for (index, path) in order.enumerated() where path.contains("/") {
      let parent = path.split(separator: "/").dropLast().joined(separator: "/")
      #expect(try #require(order.firstIndex(of: parent)) < index)
    }
    for path in ["file-1", "/deep/twin", "many//entry-299-with-a-name-of-some-length", "", "/"] {
      let plain = path.split(separator: "/").joined(separator: "/")
      #expect(try image.lookup(path) == found[plain])
    }
  }

  @Test(arguments: variants)
  func agreesWithDump(options: [String]) throws {
    let tree = try SourceTree.everyShape()
    let bytes = try tree.image(options)
    let image = try open(bytes)
    let path = "\(tree.directory)/asked"
    try tree.write(bytes, to: path)
    let sample =
      tree.files.keys.filter { !$0.hasPrefix("many/") } + ["many/entry-5-with-a-name-of-some-length", "deep"]
    for name in sample {
      let inode = try image.lookup(name)
      let dump = try Subprocess.run(["dump.erofs", "--path=/\(name)", "-e", path]).text
      #expect(dump.contains("NID: \(inode.nid) "), "\(name): \(dump)")
      #expect(dump.contains("Links: \(inode.linkCount) ") && dump.contains("Size: \(inode.size) "), "\(name): \(dump)")
      // dump.erofs shows whole blocks of chunked files; plain and inline extents to the byte.
      guard dump.contains("Layout: 0") || dump.contains("Layout: 2"), inode.size > 0 else { continue }
      let rows = dump.split(separator: "\n").filter { $0.contains(" | ") && $0.contains("..") }
      let places = rows.compactMap { row in
        row.split(separator: ":").last.flatMap { UInt64($0.split(separator: ".")[0].filter(\.isNumber)) }
      }
      let extents = try #require(try image.extents(of: inode))
      #expect(places == extents.map(\.imageOffset), "\(name): \(dump)")
    }
    let summary = try Subprocess.run(["dump.erofs", "-s", path]).text
    let row = summary.split(separator: "\n").first { $0.hasPrefix("Filesystem blocks:") }
    #expect(row?.split(separator: " ").last.flatMap { UInt64($0) } == image.superblock.blockCount)
    #expect(image.superblock.blockCount == UInt64(bytes.count / 4096))
    #expect(image.superblock.uuid == [UInt8](repeating: 0, count: 15) + [1])
  }

  /// mkfs.erofs 1.5 stores zeros, so the hole is put in by hand: block 0xffffffff (EROFS_NULL_ADDR).
  @Test(arguments: [("-Eforce-inode-blockmap", 4), ("-Eforce-chunk-indexes", 8)])
  func holesReadAsZeros(option: String, entrySize: Int) throws {
    let tree = try SourceTree()
    try tree.addFile("file", size: 10_000)
    let contents = try #require(tree.files["file"])
    let bytes = try tree.image(["--chunksize=4096", option])
    let table = Int(try open(bytes).lookup("file").offset) + 32
    let image = try open(bytes.changed { $0.storeLittleEndian(UInt32.max, at: table + entrySize * 2 - 4) })
    let inode = try image.lookup("file")
    #expect(
      try image.readFile(inode, limit: 10_000)
        == contents[..<4096] + [UInt8](repeating: 0, count: 4096) + contents[8192...])
    let extents = try #require(try image.extents(of: inode))
    #expect(extents.map(\.count) == [4096, 4096, 1808] && extents[1].imageOffset == nil)
  }

  @Test(arguments: ["nothing", "file-1/below", "link/x", "deep/../file-1", "./file-1", "deep/19", "FILE-1", "file-"])
  func namesWhatIsMissing(path: String) throws {
    let tree = try SourceTree.everyShape()
    let image = try open(try tree.image())
    let error = #expect(throws: FileSystemError.self) { try image.lookup(path) }
    #expect(error?.check == .notFound || error?.check == .wrongKind)
    let diagnostic = try #require(error?.diagnostic)
    #expect(diagnostic.code == "erofs.not-found" || diagnostic.code == "erofs.wrong-kind")
    #expect(diagnostic.expected != nil && diagnostic.found != nil)
  }

  /// A path is only where to look: what counts is the inode it leads to.
  @Test(arguments: [
    ("file-1", "/mnt/file-1", "file-1"), ("file-1", "file-1", "file-1"), ("file-1", "/many/deep/file-1", "file-1"),
    ("file-1", "/mnt/file-31", nil), ("file-1", "", nil),
    ("file-1", "/file-1/below", nil), ("file-1", "/mnt/file-1 (deleted)", nil),
    // It has two more names, and whoever opened it does not choose.
    ("twin", "/mnt/twin", nil), ("file-4097", "/file-4097", nil),
  ])
  func findsANameByAHint(path: String, hint: String, name: String?) throws {
    let image = try open(try SourceTree.everyShape().image())
    let inode = try image.lookup(path)
    #expect(try image.name(of: inode, atEndOf: hint) == name)
  }

  /// Names share the path of their directory, and of all names that lead to a file one is kept.
  @Test func manyNamesOfOneFile() throws {
    let tree = try SourceTree()
    var deep = ""
    for _ in 0..<8 {
      deep += (deep.isEmpty ? "" : "/") + String(repeating: "d", count: 200)
      try tree.addDirectory(deep)
    }
    try tree.addFile("\(deep)/0000", size: 100)
    for number in 1..<500 {
      let name = String(number)
      tree.addTwin("\(deep)/\(String(repeating: "0", count: 4 - name.utf8.count))\(name)", of: "\(deep)/0000")
    }
    tree.addTwin("e", of: "\(deep)/0000")
    let image = try open(try tree.image())
    let inode = try image.lookup("e")
    #expect(inode.linkCount == 501)
    #expect(try image.firstPath(of: inode.nid) == "\(deep)/0000")
    var names = 0
    try image.walk { entry throws(FileSystemError) in
      guard entry.inode.nid == inode.nid else { return }
      names += 1
      #expect(entry.place.byteCount == entry.path.utf8.count)
    }
    #expect(names == 501)
  }

  @Test func aHintSparesTheRestOfTheTree() throws {
    let bytes = try SourceTree.everyShape().image()
    let place = try #require(try open(bytes).extents(of: try open(bytes).lookup("many"))?.first?.imageOffset)
    let memory = try MemoryImage.build(data: bytes, salt: [9])
    var damaged = memory.bytes
    damaged[Int(place)] ^= 1
    let device = try VerifiedDevice(ArraySource(damaged), layout: memory.layout, rootHash: memory.rootHash)
    let image = try ErofsImage(device)
    let inode = try image.lookup("file-1")
    #expect(try image.name(of: inode, atEndOf: "/mnt/file-1") == "file-1")
    let error = #expect(throws: FileSystemError.self) { try image.firstPath(of: inode.nid) }
    #expect(error?.check == .block)
  }

  @Test func limitsAreKept() throws {
    let tree = try SourceTree.everyShape()
    let bytes = try tree.image()
    let cases: [(FileSystemLimits, String)] = [
      (FileSystemLimits(entries: 100), "names"), (FileSystemLimits(depth: 5), "components"),
      (FileSystemLimits(pathBytes: 20), "components"), (FileSystemLimits(directoryBytes: 100), "directory of at most"),
    ]
    for (limits, text) in cases {
      let image = try open(bytes, limits: limits)
      let error = #expect(throws: FileSystemError.self) { try image.walk { _ in } }
      #expect(error?.check == .limit && error?.expected.contains(text) == true, "\(String(describing: error))")
    }
    // The names of all directories count together: no single one has that many.
    var count = 0
    try open(bytes).walk { _ in count += 1 }
    try open(bytes, limits: FileSystemLimits(entries: count)).walk { _ in }
    let crowded = try open(bytes, limits: FileSystemLimits(entries: count - 1))
    let error = #expect(throws: FileSystemError.self) { try crowded.walk { _ in } }
    #expect(error?.check == .limit && error?.expected == "at most \(count - 1) names")
    #expect(throws: FileSystemError.self) { try crowded.walkNames { _, _, _ in } }
    let image = try open(bytes, limits: FileSystemLimits(fileBytes: 10_000))
    let inode = try image.lookup("file-20000")
    #expect(throws: FileSystemError.self) { try image.readFile(inode, limit: 1 << 20) }
  }

  /// The type of the proof does its work: a block that was changed after the tree was made never reaches the reader.
  @Test func aChangedBlockIsNotRead() throws {
    let tree = try SourceTree.small()
    let memory = try MemoryImage.build(data: try tree.image(), salt: [9])
    var bytes = memory.bytes
    bytes[2000] ^= 1
    let device = try VerifiedDevice(ArraySource(bytes), layout: memory.layout, rootHash: memory.rootHash)
    do {
      _ = try ErofsImage(device)
      Issue.record("a changed block was read")
    } catch {
      #expect(error.check == .block && error.diagnostic.code == "verity.data-mismatch")
      #expect(error.diagnostic.category == .integrity)
    }
  }
}
