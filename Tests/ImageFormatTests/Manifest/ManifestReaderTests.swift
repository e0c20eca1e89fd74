import Base
import FileSystems
import Testing
import Verity

@testable import ImageFormat

/// A manifest that is read some entries at a time says what it says as a whole.
@Suite struct ManifestReaderTests {
  /// Enough of both kinds for several pieces, with paths that need escapes.
  private static let manifest: Manifest? = Digest(.sha256, hex: String(repeating: "0a", count: 32)).map { digest in
    Manifest(
      name: "demo", version: "1.0", dataBlocks: 9,
      objects: (1000..<2500).map { number in
        Manifest.Object(
          file: Manifest.File(path: "d\(number / 100)/ü\n\"\(number)\".o", digest: digest, size: 5), license: "GPL",
          programs: [.init(name: "p}", section: "xdp", type: "xdp", attachType: nil)],
          maps: [.init(name: "{", type: "hash")], helpers: ["bpf_a"], coreRelocations: number,
          lockdown: ["none", "integrity", "confidentiality"].map { .init(mode: $0, forbidden: []) })
      }, files: (1000..<2200).map { Manifest.File(path: "n\($0)", digest: digest, size: 7) })
  }

  /// An image with the manifest's text and some files.
  private static func image(
    _ text: [UInt8], files: [String] = []
  ) throws -> ErofsImage<VerifiedDevice<ArraySource>> {
    try ErofsImage(try MemoryImage.build(data: try data(text, files: files), salt: [1]).device())
  }

  private static func data(_ text: [UInt8], files: [String]) throws -> [UInt8] {
    var writer = ErofsWriter()
    var sink = ArraySink()
    for path in files { try writer.add(path, [1].rawSpan, to: &sink) }
    let ending = try writer.end(with: Manifest.path, byteCount: UInt64(text.count), to: &sink)
    try ending.write(text.rawSpan, uuid: Array(1...16), to: &sink)
    return sink.bytes
  }

  private static func read(_ text: [UInt8]) throws -> (ManifestHead, Int, [ManifestReader.Listed]) {
    var image = try image(text)
    let inode = try #require(try Manifest.inode(in: image))
    var reader = try ManifestReader(inode, in: &image)
    var listed: [ManifestReader.Listed] = []
    while let more = try reader.next(in: &image) { listed += more }
    return (reader.head, reader.fileCount, listed)
  }

  @Test func saysWhatTheWholeSays() throws {
    let manifest = try #require(Self.manifest)
    // As it is written, and in another layout.
    for text in [manifest.text, manifest.json.compactUTF8] {
      let (head, count, listed) = try Self.read(text)
      #expect(head == ManifestHead(name: "demo", version: "1.0", dataBlocks: 9) && count == listed.count)
      #expect(
        listed == manifest.objects.map { ManifestReader.Listed.object($0) }
          + manifest.files.map { ManifestReader.Listed.file($0) })
    }
  }

  @Test func aBadEntryIsRefused() throws {
    let manifest = try #require(Self.manifest)
    let text = try #require(String(validating: manifest.text, as: UTF8.self))
    for (old, new) in [("\"license\"", "\"licence\""), ("\"size\": 7\n", "\"size\": 7,\n      \"more\": 1\n")] {
      #expect(text.contains(old))
      #expect(throws: ManifestError.self) { try Self.read(Array(text.replacing(old, with: new).utf8)) }
    }
  }

  /// A name that the directory says to be a symbolic link is none of a file.
  @Test func kindsAreHeldAgainstTheDirectories() throws {
    let digest = try Digest.of([1].rawSpan)
    let manifest = Manifest(
      name: nil, version: nil, dataBlocks: 9, objects: [], files: [Manifest.File(path: "a", digest: digest, size: 1)])
    var bytes = try Self.data(manifest.text, files: ["a"])
    for (kind, isTaken) in [(FileSystemInode.Kind.regular, true), (.symbolicLink, false), (.fifo, false)] {
      // The root's entries lie behind its inode: `.`, `..`, `.verity-bpf`, `a`; 12 bytes each, the kind at 10.
      bytes[1152 + 32 + 3 * 12 + 10] = kind.rawValue
      bytes.storeLittleEndian(ErofsSuperblock.checksum(of: Array(bytes[1024..<4096])), at: 1024 + 4)
      var image = try ErofsImage(try MemoryImage.build(data: bytes, salt: [1]).device())
      let inode = try #require(try Manifest.inode(in: image))
      let summary = try Manifest.checkNames(inode, in: &image)
      #expect((summary != nil) == isTaken)
    }
  }

  /// The names of the directories are those of the manifest, whatever the order in which both are gone through.
  @Test func namesAreHeldAgainstTheDirectories() throws {
    let manifest = try #require(Self.manifest)
    let paths = (manifest.objects.map(\.file.path) + manifest.files.map(\.path)).sortedBytewise()
    var image = try Self.image(manifest.text, files: paths)
    let inode = try #require(try Manifest.inode(in: image))
    let summary = try Manifest.checkNames(inode, in: &image)
    #expect(summary == Manifest.Summary(head: ManifestHead(manifest), fileCount: paths.count))
    // One name less, one more, and one that is another.
    for changed in [Array(paths.dropLast()), paths + ["z"], ["a"] + paths.dropFirst()] {
      var other = try Self.image(manifest.text, files: changed)
      let inode = try #require(try Manifest.inode(in: other))
      let summary = try Manifest.checkNames(inode, in: &other)
      #expect(summary == nil)
    }
  }
}
