import Base
import FileSystems
import Testing
import Verity

@testable import ImageFormat

/// The names of a manifest, read piece by piece.
@Suite struct ManifestScanTests {
  private static let digest = String(repeating: "0a", count: 32)

  /// A manifest as the builder writes it.
  private static func text(objects: [String], files: [String]) throws -> [UInt8] {
    let digest = try #require(Digest(.sha256, hex: digest))
    var text = ManifestText(name: "demo", version: "1.0")
    for path in objects {
      let object = Manifest.Object(
        file: Manifest.File(path: path, digest: digest, size: 5), license: "GPL", programs: [], maps: [], helpers: [],
        coreRelocations: 0, lockdown: [])
      text.add(objectEntry: object.entry)
    }
    for path in files { text.add(Manifest.File(path: path, digest: digest, size: 7)) }
    return text.finish(dataBlocks: 9)
  }

  private static func scan(_ text: [UInt8], pieces: Int) -> ManifestScan? {
    var scan = ManifestScan()
    var start = 0
    while start < text.count {
      guard scan.take(Array(text[start..<min(start + pieces, text.count)])) else { return nil }
      start += pieces
    }
    return scan.isComplete ? scan : nil
  }

  private static func sum(_ paths: [String]) -> PathSum {
    var sum = PathSum()
    for path in paths { sum.add(Array(path.utf8).rawSpan) }
    return sum
  }

  @Test(arguments: [
    (["a.bpf.o", "b/c.o", "b/ü\n\"x\".o"], ["n", "z"]), ([], ["n"]), (["a"], []), ([], []),
  ])
  func readsItInPiecesOfAnySize(objects: [String], files: [String]) throws {
    let text = try Self.text(objects: objects, files: files)
    for pieces in [1, 2, 7, 64, 1 << 20] {
      let scan = try #require(Self.scan(text, pieces: pieces), "\(pieces)")
      #expect(scan.head == ManifestHead(name: "demo", version: "1.0", dataBlocks: 9))
      // In any order.
      #expect(scan.paths == Self.sum(files.reversed() + objects))
      #expect(scan.paths != Self.sum(objects + files + ["more"]) && scan.paths != Self.sum(objects + ["other"]))
    }
  }

  /// The same names in another order have the same sum.
  @Test(arguments: [(["b", "a"], ["n"]), (["a"], ["o", "n"]), (["a", "a"], [])])
  func namesAreSorted(objects: [String], files: [String]) throws {
    #expect(Self.scan(try Self.text(objects: objects, files: files), pieces: 4096) == nil)
  }

  /// Whatever is cut, changed or put behind it is another layout, or has other names.
  @Test func refusesOrNoticesEveryChange() throws {
    let paths = ["a.bpf.o", "b.bpf.o", "n", "o"]
    let text = try Self.text(objects: Array(paths.prefix(2)), files: Array(paths.suffix(2)))
    let whole = try #require(Self.scan(text, pieces: 4096))
    for count in text.indices { #expect(Self.scan(Array(text.prefix(count)), pieces: 4096) == nil) }
    #expect(Self.scan(text + [0x0a], pieces: 4096) == nil)
    let names = try #require(String(validating: text, as: UTF8.self))
    for (old, new) in [
      ("\"n\"", "\"m\""), ("\"b.bpf.o\"", "\"a.bpf.o\""), ("\"o\"", "\"a\""), ("\"size\": 7", "\"size\": x"),
      ("0a0a", "0A0a"), ("\"files\"", "\"other\""), ("\"sha256\"", "\"sha512\""),
    ] {
      let changed = Array(names.replacing(old, with: new).utf8)
      #expect(changed != text)
      let scan = Self.scan(changed, pieces: 4096)
      #expect(scan.map { $0.paths != whole.paths } ?? true, "\(old)")
    }
  }
}
