import Base
import Glibc
import Linux
import TestSupport
import Testing

/// gzip files, with gzip(1) as the oracle.
struct GzipTests {
  /// Deterministic bytes of several kinds: none, one, repetitive, random, text.
  private static let samples: [[UInt8]] = {
    var generator = SystemRandomNumberGenerator()
    return [
      [], [7], [UInt8](repeating: 0, count: 100_000),
      (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) },
      (0..<20_000).flatMap { Array("CONFIG_OPTION_\($0 % 977)=y\n".utf8) },
    ]
  }()

  @Test(arguments: 0..<5, ["-1", "-6", "-9"])
  func readsWhatGzipWrites(sample: Int, level: String) throws {
    let packed = try packed(Self.samples[sample], level)
    #expect(Gzip.contents(of: packed.rawSpan, limit: 1 << 20) == Self.samples[sample])
  }

  @Test func refusesEverythingElse() throws {
    let good = try packed(Self.samples[4], "-6")
    #expect(Gzip.contents(of: good.rawSpan, limit: 1000) == nil, "more than the limit")
    for end in [0, 1, 9, 10, 20, good.count / 2, good.count - 1] {
      #expect(Gzip.contents(of: Array(good[..<end]).rawSpan, limit: 1 << 20) == nil)
    }
    // A changed byte is noticed wherever it is, but for the time, the flags' hints and the system in the header.
    for index in stride(from: 10, to: good.count, by: 37) {
      var bad = good
      bad[index] ^= 1 << UInt8(index % 8)
      let contents = Gzip.contents(of: bad.rawSpan, limit: 1 << 20)
      #expect(contents == nil || contents == Self.samples[4], "byte \(index)")
    }
    for _ in 0..<2000 {
      let junk = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3] + (0..<40).map { _ in UInt8.random(in: 0...255) }
      #expect(Gzip.contents(of: junk.rawSpan, limit: 1 << 20) == nil)
    }
  }

  private func packed(_ bytes: [UInt8], _ level: String) throws -> [UInt8] {
    let directory = try Directory.createTemporary(prefix: "verity-bpf-gzip")
    defer { Cleanup.remove(directory) }
    let file = try PendingFile(replacing: "\(directory)/file", mode: 0o600)
    try file.descriptor.writeAll(bytes.rawSpan)
    try file.commit()
    let result = try Subprocess.run(["gzip", level, "\(directory)/file"])
    try #require(result.status == 0, "\(result.text)")
    let contents = try OwnedFD.open("\(directory)/file.gz", .readOnly).readToEnd(limit: 1 << 20)
    return try #require(contents)
  }
}
