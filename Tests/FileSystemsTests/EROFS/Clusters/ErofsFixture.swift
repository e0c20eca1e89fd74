import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// A small image of one kind, made once by tools/erofs_fixtures.py, so that every kind is read where no newer mkfs.erofs is.
struct ErofsFixture: Sendable, CustomTestStringConvertible {
  let name: String
  var testDescription: String { name }

  /// Those whose files are compressed, and one whose files are not.
  static let all = [
    "plain", "lz4", "lz4-before-5.3", "lz4hc-big", "lz4hc-full-index", "deflate", "lzma", "zstd", "zstd-big-tails",
    "zstd-fragments", "zstd-all-fragments", "lz4hc-dedupe", "deflate-dedupe-fragments", "zstd-512",
  ].map(ErofsFixture.init(name:))

  static func named(_ name: String) -> ErofsFixture { ErofsFixture(name: name) }

  private static var directory: String { "\(Tools.repository)/Tests/Fixtures/erofs" }

  /// The image.
  func image() throws -> [UInt8] {
    let packed = try readAll("\(Self.directory)/\(name).gz")
    guard let image = Gzip.contents(of: packed.rawSpan, limit: 1 << 20) else { throw TestFailure("\(name) is damaged") }
    return image
  }

  /// What is in each of them: SHA-256 and bytes by path.
  static func contents() throws -> [String: (digest: String, size: Int)] {
    let text = String(decoding: try readAll("\(directory)/contents"), as: UTF8.self)
    var contents: [String: (String, Int)] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      contents[String(words[2])] = (String(words[0]), Int(words[1]) ?? -1)
    }
    return contents
  }
}

/// The file systems of the bytes under a tree whose blocks have 512 bytes, so that they need not be padded.
func open512(
  _ bytes: [UInt8], limits: FileSystemLimits = FileSystemLimits(),
  decompressor: any BlockDecompressor = LibraryBlockDecompressor()
) throws -> AnyFileSystem<VerifiedDevice<ArraySource>> {
  let device = try MemoryImage.build(data: bytes, dataBlockSize: 512, salt: [1]).device()
  return try AnyFileSystem(device, limits: limits, decompressor: decompressor)
}
