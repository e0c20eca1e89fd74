import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Changed images, each under a fresh hash tree: 200 of every way.
@Suite(.enabled(if: SquashfsTools.areInstalled, "mksquashfs is not installed"))
struct SquashfsMutationTests {
  private static let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)

  static func tree() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for path in ["tree", "tree/d", "tree/d/e"] { try Directory.create(directory.file(path)) }
    try directory.write("tree/a", "short")
    try directory.write("tree/block", (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
    try directory.write("tree/tail", (0..<9000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    try directory.write("tree/zeros", [UInt8](repeating: 0, count: 9000) + [1])
    try directory.write("tree/d/e/f", [UInt8](repeating: 0x66, count: 100))
    for index in 0..<110 { try directory.write("tree/d/some-longer-name-or-other-\(index)", "x") }
    try Tools.run("ln", "-s", "d/e", directory.file("tree/link"))
    return directory
  }

  @Test(
    arguments: [
      ("-noI -noId -b 4096", 1), ("-noI -noD -noF -no-fragments -b 4096", 2), ("-comp zstd -b 4096", 3),
      ("-comp xz -noI -no-exports", 4), ("-comp lz4 -noI", 5),
    ] as [(String, UInt64)])
  func changedImagesEndInAResultOrARefusal(way: String, seed: UInt64) throws {
    let directory = try Self.tree()
    let path = directory.file("image")
    try Tools.run(
      ["mksquashfs", directory.file("tree"), path, "-quiet", "-no-progress"]
        + way.split(separator: " ").map(String.init))
    let bytes = try readAll(path)
    let used = Int(try bytes.rawSpan.u64(at: 40))
    let tables = Int(try bytes.rawSpan.u64(at: 64))
    let places = Array(0..<96) + Array(tables..<used) + Array(stride(from: 96, to: tables, by: 40))
    var generator = SplitMix(state: seed)
    var (refused, read, compared) = (0, 0, 0)
    for round in 0..<200 {
      let changed = bytes.damaged(at: places, using: &generator)
      switch try everything(changed, limits: Self.limits) {
      case .failure(let error):
        refused += 1
        #expect(error.check != .block && error.check != .missingLibrary && error.check != .bootArea, "\(error)")
        #expect(error.format == .squashfs || error.check == .magic, "round \(round): \(error)")
      case .success(let contents):
        read += 1
        // A third of them also against unsquashfs: where both read a file, both read the same.
        guard round % 3 == 0 else { continue }
        let target = directory.file("extracted-\(round)")
        try directory.write("changed", changed)
        let result = try Subprocess.run(
          [
            "timeout", "20", "unsquashfs", "-quiet", "-no-progress", "-no-xattrs", "-dest", target,
            directory.file("changed"),
          ])
        guard result.status == 0 else { continue }
        compared += 1
        for (path, bytes) in contents {
          guard let status = try? FileStatus.of(path: "\(target)/\(path)", followLinks: false), status.kind == .regular
          else { continue }
          #expect(try readAll("\(target)/\(path)") == bytes, "round \(round): \(path)")
        }
      }
    }
    #expect(refused > 30 && read > 5 && compared > 1, "\(refused) refused, \(read) read, \(compared) compared")
  }

  @Test func cutImagesAreRefused() throws {
    let directory = try Self.tree()
    let path = directory.file("image")
    try Tools.run("mksquashfs", directory.file("tree"), path, "-quiet", "-no-progress", "-noI")
    let bytes = try readAll(path)
    for count in stride(from: 512, to: bytes.count - 4096, by: 512) {
      guard case .failure(let error) = try everything(Array(bytes[..<count]), limits: Self.limits) else {
        Issue.record("an image cut to \(count) bytes was read")
        continue
      }
      #expect(error.check == .deviceSize)
    }
  }
}
