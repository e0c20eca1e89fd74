import Base
import Linux
import TestSupport
import Testing

/// Streams of gzip, zstd and xz, with the programs of these names as oracles.
@Suite struct DecompressorTests {
  private static let text = (0..<30_000).flatMap {
    Array("{\"event\":\($0 * 7919 % 10007),\"stage\":\"decision\"}\n".utf8)
  }

  /// All that comes out of the bytes, given in pieces of a size and taken in pieces of another.
  private static func run(
    _ format: Decompressor.Format, _ bytes: [UInt8], pieces: Int, room: Int
  ) throws(Decompressor.Failure) -> (contents: [UInt8], isWhole: Bool) {
    var decompressor = try Decompressor(format)
    var contents: [UInt8] = []
    var output = [UInt8](repeating: 0, count: room)
    var place = 0
    while true {
      let end = min(bytes.count, place + pieces)
      let done = try decompressor.run(bytes.rawSpan.extracting(place..<end), into: &output)
      place += done.taken
      contents += output[..<done.made]
      if place == bytes.count, done.made < room { return (contents, decompressor.isWhole) }
    }
  }

  private static func packed(_ format: Decompressor.Format, _ bytes: [UInt8]) throws -> [UInt8] {
    let directory = try PrivateDirectory(prefix: "verity-bpf-decompressor")
    let path = "\(directory.path)/file"
    try OwnedFD.open(path, [.writeOnly, .create]).writeAll(bytes.rawSpan)
    let result = try Subprocess.run([format.rawValue, "-q", "-k", path])
    try #require(result.status == 0, "\(result.text)")
    let endings: [Decompressor.Format: String] = [.gzip: ".gz", .zstd: ".zst", .xz: ".xz"]
    return try OwnedFD.open(path + (endings[format] ?? ""), .readOnly).readToEnd(of: path, limit: 1 << 24)
  }

  @Test(arguments: Decompressor.Format.allCases)
  func readsWhatTheProgramWrites(_ format: Decompressor.Format) throws {
    let packed = try Self.packed(format, Self.text)
    for (pieces, room) in [(packed.count, 1 << 20), (1000, 777), (1, 65536), (packed.count, 1)] {
      let result = try Self.run(format, packed, pieces: pieces, room: room)
      #expect(result.contents == Self.text && result.isWhole, "\(pieces), \(room)")
    }
    // Members and frames one after another, as `cat` puts them together.
    let twice = try Self.run(format, packed + packed, pieces: 500, room: 5000)
    #expect(twice.contents == Self.text + Self.text && twice.isWhole)
    let nothing = try Self.run(format, try Self.packed(format, []), pieces: 10, room: 10)
    #expect(nothing.contents.isEmpty && nothing.isWhole)
  }

  @Test(arguments: Decompressor.Format.allCases)
  func damageIsNoticed(_ format: Decompressor.Format) throws {
    let packed = try Self.packed(format, Self.text)
    for end in [5, 20, packed.count / 2, packed.count - 1] {
      let cut = try Self.run(format, Array(packed[..<end]), pieces: 333, room: 4096)
      #expect(!cut.isWhole, "cut after \(end) bytes")
    }
    let followed = try? Self.run(format, packed + Array("no member\n".utf8), pieces: 333, room: 4096)
    // Of .xz so few bytes may be the beginning of another stream.
    #expect(followed.map { $0.isWhole } ?? false == false && (format == .xz || followed == nil))
    for place in stride(from: packed.count / 4, to: packed.count - 10, by: 1001) {
      var bad = packed
      bad[place] ^= 0x10
      let result = try? Self.run(format, bad, pieces: 333, room: 4096)
      #expect(result.map { !$0.isWhole || $0.contents == Self.text } ?? true, "byte \(place)")
    }
  }

  /// Zeros behind a stream of .xz are padding, four at a time, also before another stream.
  @Test func paddingOfXZ() throws {
    let packed = try Self.packed(.xz, Self.text)
    for pieces in [1, 333, packed.count * 3] {
      let padded = packed + [UInt8](repeating: 0, count: 8)
      let result = try Self.run(.xz, padded + packed + [0, 0, 0, 0], pieces: pieces, room: 4096)
      #expect(result.contents == Self.text + Self.text && result.isWhole, "\(pieces)")
      let odd = try? Self.run(.xz, packed + [0, 0, 0], pieces: pieces, room: 4096)
      #expect(odd?.isWhole != true, "\(pieces)")
      #expect(throws: Decompressor.Failure.damaged, "\(pieces)") {
        try Self.run(.xz, packed + [0, 0, 0] + packed, pieces: pieces, room: 4096)
      }
    }
  }

  /// A dictionary of 256 MiB is refused before it is allocated.
  @Test func aDictionaryThatIsTooLarge() throws {
    let directory = try PrivateDirectory(prefix: "verity-bpf-decompressor")
    let path = "\(directory.path)/file"
    try OwnedFD.open(path, [.writeOnly, .create]).writeAll(Self.text.rawSpan)
    let result = try Subprocess.run(["xz", "-q", "--lzma2=preset=0,dict=256MiB", path])
    try #require(result.status == 0, "\(result.text)")
    let packed = try OwnedFD.open("\(path).xz", .readOnly).readToEnd(of: path, limit: 1 << 24)
    #expect(throws: Decompressor.Failure.needsTooMuchMemory) {
      try Self.run(.xz, packed, pieces: 500, room: 4096)
    }
  }
}
