import Base
@testable import FileSystems
import Linux
import TestSupport
import Testing

/// Images of our writer, held against fsck.erofs, the kernel, and our reader.
@Suite struct WriterTests {
  typealias File = (path: String, contents: [UInt8])

  /// Sizes at which the layout of a file changes: what fits behind an inode of 32 bytes, blocks, the writer's window.
  static let sizes = [
    0, 1, 31, 32, 33, 4031, 4032, 4063, 4064, 4065, 4095, 4096, 4097, 8159, 8160, 8161, 8192, 12287, 1 << 20,
    (1 << 20) - 1, (1 << 20) + 1, (1 << 20) + 4096 - 32, 3 << 20, (3 << 20) + 100,
  ]

  @Test func everySizeIsKept() throws {
    var generator = SplitMix(state: 1)
    let files = Self.sizes.flatMap { size in
      [("size/\(size)", generator.bytes(size)), ("again/\(size)", generator.bytes(size))]
    }
    let image = try WrittenImage(files)
    try image.readAll()
    try image.checkWithFsck(in: try TemporaryDirectory(), mounts: true)
  }

  /// The last file, whose blocks are kept free while everything else is written.
  @Test(arguments: sizes)
  func theLastFileCanHaveAnySize(size: Int) throws {
    var generator = SplitMix(state: UInt64(size))
    for others in [[], [("a/b", generator.bytes(5000))]] as [[File]] {
      let image = try WrittenImage(others + [("z/last", generator.bytes(size))])
      try image.readAll()
      try image.checkWithFsck(in: try TemporaryDirectory(), mounts: false)
    }
  }

  /// Names at the borders of what a name can be, and in an order that neither `.` nor `..` begins.
  static let names = [
    "!", " ", "+", "-", "..a", "...", ".hidden", "0", "A", "a", "a.b", "a b", "ab", "é", "e\u{301}",
    "\u{7f}", "日本", "\"", "\\", "\n", "*", String(repeating: "n", count: 254), String(repeating: "m", count: 255),
  ]

  @Test func everyNameIsKept() throws {
    var generator = SplitMix(state: 3)
    var files = Self.names.map { ($0, generator.bytes(10)) }
    // The same names as directories, in another one.
    files += Self.names.map { ("below/\($0)/\($0)", generator.bytes(20)) }
    let image = try WrittenImage(files)
    try image.readAll()
    try image.checkWithFsck(in: try TemporaryDirectory(), mounts: true)
  }

  /// Trees of random shape: few or many names, short or long, shallow or deep, sizes mostly small.
  static func randomTree(_ seed: UInt64) -> [File] {
    var generator = SplitMix(state: seed)
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.-_+ ~üß".map(String.init))
    var directories = [""]
    var taken: Set<String> = []
    func name() -> String {
      while true {
        let length = [1, 2, 5, 20, 100, 200].randomElement(using: &generator) ?? 1
        let word = (0..<Int.random(in: 1...length, using: &generator))
          .map { _ in letters.randomElement(using: &generator) ?? "x" }.joined()
        if word != ".", word != "..", word.utf8.count <= 255 { return word }
      }
    }
    for _ in 0..<Int.random(in: 0...30, using: &generator) {
      let above = directories.randomElement(using: &generator) ?? ""
      let path = above.isEmpty ? name() : "\(above)/\(name())"
      if path.utf8.count < 2000, taken.insert(path).inserted { directories.append(path) }
    }
    var files: [File] = []
    for _ in 0..<([1, 3, 40, 400].randomElement(using: &generator) ?? 1) {
      let above = directories.randomElement(using: &generator) ?? ""
      let path = above.isEmpty ? name() : "\(above)/\(name())"
      guard taken.insert(path).inserted else { continue }
      let limit = [1, 100, 4096, 10_000, 70_000].randomElement(using: &generator) ?? 1
      files.append((path, generator.bytes(Int.random(in: 0...limit, using: &generator))))
    }
    return files
  }

  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func randomTreesAreKept(seed: UInt64) throws {
    let image = try WrittenImage(Self.randomTree(seed))
    try image.readAll()
    try image.checkWithFsck(in: try TemporaryDirectory(), mounts: seed % 4 == 0)
  }

  @Test func aDirectoryCanHoldTenThousandFiles() throws {
    var generator = SplitMix(state: 5)
    let files = (0..<10_000).map { ("objects/object-number-\($0).bpf.o", generator.bytes($0 % 50)) }
    let image = try WrittenImage(files)
    try image.readAll()
    try image.checkWithFsck(in: try TemporaryDirectory(), mounts: true)
  }

  @Test func directoriesCanBeDeep() throws {
    let parts = (0..<60).map { "level-\($0)" }
    let files = (1...60).map { (parts.prefix($0).joined(separator: "/") + "/file", [UInt8($0)]) }
    let image = try WrittenImage(files)
    try image.readAll()
    try image.checkWithFsck(in: try TemporaryDirectory(), mounts: true)
  }

  /// A size of more than 32 bits: the inode is an extended one.
  @Test func aFileCanHaveMoreThanFourGibibytes() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("image")
    let size: UInt64 = (5 << 30) + 1
    var writer = ErofsWriter(limits: FileSystemLimits(fileBytes: 8 << 30))
    var sink = FileSink(try OwnedFD.open(path, [.readWrite, .create]))
    try writer.add("d/small", [1, 2, 3].rawSpan, to: &sink)
    let ending = try writer.end(with: "d/large", byteCount: size, to: &sink)
    // Its contents are left out: they read as zeros.
    try sink.write(ending.firstBlock(uuid: []).rawSpan, at: 0)
    try OwnedFD.open(path, .readWrite).truncate(to: ending.blockCount * 4096)
    guard Tools.isRoot else { return print("the kernel was not asked: mounting needs root") }
    let mounted = try MountedImage(path, in: directory)
    #expect(try Tools.run("stat", "-c", "%s %h %a %u %Y", mounted.file("d/large")).trimmed == "\(size) 1 444 0 0")
    #expect(try directory.read(mounted.file("d/small")) == [1, 2, 3])
    #expect(try Tools.run("dump.erofs", "--path=/d/large", path).contains("Size: \(size) "))
  }

  /// The bytes are a promise: another layout is another root hash for everybody's images.
  @Test func theBytesStayTheSame() throws {
    var generator = SplitMix(state: 7)
    let files = [0, 5, 4000, 4096, 9000, 60].map { ("d\($0 % 3)/f\($0)", generator.bytes($0)) }
    let image = try WrittenImage(files)
    let directory = try TemporaryDirectory()
    let path = try directory.write("image", image.bytes)
    let digest = String(try Tools.run("sha256sum", path).prefix(64))
    #expect(digest == "6e5b0e3e40d3aacdc72b4fdc13b6ebc9b6b4fc778fe31294287a7016fbdd880c")
    // Nothing is lost between the files: their bytes, rounded up, and a block or two for all names.
    #expect(image.bytes.count == 8 * 4096)
  }

  static let badPaths = [
    "", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/../b", "a\0b", String(repeating: "n", count: 256),
  ]

  @Test(arguments: badPaths)
  func badPathsAreRefused(path: String) throws {
    let error = #expect(throws: ErofsWriterError.self) { try WrittenImage([(path, [1]), ("last", [])]) }
    guard case .badPath(path, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(throws: ErofsWriterError.self) { try WrittenImage([("first", [1]), (path, [])]) }
  }

  @Test(arguments: [["a", "a"], ["d/a", "d/b", "d/a"], ["a/b", "a"], ["a", "a/b/c"]])
  func twoFilesOfOneNameAreRefused(paths: [String]) throws {
    let error = #expect(throws: ErofsWriterError.self) { try WrittenImage(paths.map { ($0, [1]) }) }
    guard case .duplicate? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func aSinkThatIsFullIsReported() throws {
    for limit in [0, 4095, 100_000, 1 << 20, (1 << 20) + 4096] {
      var writer = ErofsWriter()
      var sink = ArraySink(limit: limit)
      let contents = [UInt8](repeating: 1, count: 300_000)
      let error = #expect(throws: ErofsWriterError.self) {
        for index in 0..<5 { try writer.add("\(index)", contents.rawSpan, to: &sink) }
        let ending = try writer.end(with: "last", byteCount: 10, to: &sink)
        try ending.write([UInt8](repeating: 0, count: 10).rawSpan, uuid: [], to: &sink)
      }
      guard case .sink? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }

  @Test func theLastFileHasTheSizeItWasReservedFor() throws {
    var writer = ErofsWriter()
    var sink = ArraySink()
    let ending = try writer.end(with: "last", byteCount: 10, to: &sink)
    #expect(throws: ErofsWriterError.reservedSize(expected: 10, found: 2)) {
      try ending.write([1, 2].rawSpan, uuid: [], to: &sink)
    }
  }

  @Test func blockNumbersDoNotRunOut() throws {
    var writer = ErofsWriter(limits: FileSystemLimits(fileBytes: .max))
    var sink = ArraySink()
    #expect(throws: ErofsWriterError.tooLarge) { try writer.end(with: "a", byteCount: 1 << 44, to: &sink) }
    #expect(throws: ErofsWriterError.tooLarge) { try writer.end(with: "b", byteCount: UInt64(Int.max), to: &sink) }
  }
}
