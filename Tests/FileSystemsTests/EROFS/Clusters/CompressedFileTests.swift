import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Files of each kind of compressed image.
@Suite struct CompressedFileTests {
  @Test(arguments: ErofsFixture.all)
  func everyFileIsRead(fixture: ErofsFixture) throws {
    let contents = try ErofsFixture.contents()
    let image = try open512(try fixture.image())
    var found = 0
    try image.walk { entry throws(FileSystemError) in
      guard entry.inode.kind == .regular else { return }
      #expect(try image.obstacle(to: entry.inode) == nil)
      let bytes = try image.readFile(entry.inode, limit: 1 << 20)
      let expected = contents[entry.path]
      #expect(bytes.count == expected?.size, "\(entry.path)")
      #expect((try? Digest.of(bytes.rawSpan))?.description == "sha256:\(expected?.digest ?? "")", "\(entry.path)")
      found += 1
    }
    #expect(found == contents.count)
    let link = try image.lookup("link")
    #expect(try image.linkTarget(link) == Array("d/a-name-of-some-length-1".utf8))
    #expect(try image.lookup("d/a-name-of-some-length-144").size == 4)
  }

  /// A part is what the whole has there, wherever it begins and ends.
  @Test(arguments: ErofsFixture.all)
  func partsAreThoseOfTheWhole(fixture: ErofsFixture) throws {
    let image = try open512(try fixture.image())
    var generator = SplitMix(state: 3)
    for path in ["mixed", "repeated", "numbers-behind-text", "zeros", "short"] {
      let inode = try image.lookup(path)
      let whole = try image.readFile(inode, limit: 1 << 20)
      for _ in 0..<40 {
        let first = Int.random(in: 0...whole.count, using: &generator)
        let last = Int.random(in: first...whole.count, using: &generator)
        let part = try image.readFile(inode, in: UInt64(first)..<UInt64(last))
        #expect(part == Array(whole[first..<last]), "\(path), bytes \(first) to \(last)")
      }
      #expect(try image.readFile(inode, in: inode.size..<inode.size + 10).isEmpty)
    }
  }

  /// What is changed at the place that is named changes the file, and the superblock stays as it is.
  @Test(arguments: ErofsFixture.all)
  func theStoredPlaceHoldsTheFile(fixture: ErofsFixture) throws {
    let bytes = try fixture.image()
    let image = try open512(bytes)
    let inode = try image.lookup("mixed")
    let whole = try image.readFile(inode, limit: 1 << 20)
    guard let place = try image.storedPlace(of: inode) else {
      // All of it is in the packed inode.
      #expect(fixture.name.contains("fragments"))
      return
    }
    #expect(place.lowerBound >= 1152 && place.upperBound <= UInt64(bytes.count))
    var changed = bytes
    for index in place { changed[Int(index)] = 0xa5 }
    let other = try open512(changed)
    #expect((try? other.readFile(inode, limit: 1 << 20)) != whole)
  }

  /// Nothing is decompressed before a file is asked for, and no other file's cluster then.
  @Test func onlyWhatIsAskedForIsDecompressed() throws {
    let counter = CountingDecompressor()
    let image = try open512(try ErofsFixture.named("zstd").image(), decompressor: counter)
    try image.walk { _ in }
    #expect(counter.count == 0)
    _ = try image.readPrefix(of: try image.lookup("text"), count: 10)
    #expect(counter.count == 1)
    // What was decompressed last is kept.
    _ = try image.readPrefix(of: try image.lookup("text"), count: 20)
    #expect(counter.count == 1)
  }

  @Test(arguments: [
    ("lz4", "liblz4.so.1"), ("lzma", "liblzma.so.5"), ("deflate", "libz.so.1"), ("zstd", "libzstd.so.1"),
  ])
  func aMissingLibraryIsNoDamage(fixture: String, library: String) throws {
    let image = try open512(try ErofsFixture.named(fixture).image(), decompressor: NoDecompressor())
    let inode = try image.lookup("text")
    let error = try #require(#expect(throws: FileSystemError.self) { try image.readFile(inode, limit: 1 << 20) })
    #expect(error.diagnostic.code == "erofs.missing-library" && error.diagnostic.category == .unsupported)
    #expect(error.diagnostic.message.contains("not supported on this host: \(library) is missing"))
    #expect(error.diagnostic.next?.contains("install") == true)
    #expect(try image.obstacle(to: inode)?.check == .missingLibrary)
    // What is stored as it is needs no library.
    #expect(try image.readFile(try image.lookup("short"), limit: 100).count == 20)
  }
}

/// Counts, and decompresses by the libraries.
final class CountingDecompressor: BlockDecompressor, @unchecked Sendable {
  private(set) var count = 0

  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] {
    self.count += 1
    return try LibraryBlockDecompressor().decompress(block, compression, count: count, isPart: isPart)
  }

  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] {
    count += 1
    return try LibraryBlockDecompressor().decompress(whole: block, compression, limit: limit)
  }
}

/// A host without libraries.
struct NoDecompressor: BlockDecompressor {
  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] {
    throw .unavailable(compression, reason: "\(compression.soname): cannot open shared object file")
  }

  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] {
    try decompress(block, compression, count: limit, isPart: false)
  }
}
