import Base
import Linux
import TestSupport
import Testing
import Verity

@testable import Provenance

/// Files whose blocks only the file system in the kernel can name.
@Suite struct PlacedBlocksTests {
  /// Eight blocks, of which each byte says which block it is in.
  private static let blockSize = 4096

  private func compare(_ contents: [UInt8], _ extents: FileExtent...) throws -> PlacedBlocks {
    let data = (1...8).flatMap { [UInt8](repeating: $0, count: Self.blockSize) }
    return try PlacedBlocks.compare(contents, extents, in: try MemoryImage.build(data: data).device())
  }

  private static func extent(_ file: UInt64, at block: UInt64, blocks: UInt64 = 1, isPlain: Bool = true) -> FileExtent {
    FileExtent(
      fileOffset: file * UInt64(blockSize), deviceOffset: block * UInt64(blockSize),
      byteCount: blocks * UInt64(blockSize), isPlain: isPlain)
  }

  private static func bytes(_ values: UInt8..., last: Int = blockSize) -> [UInt8] {
    values.dropLast().flatMap { [UInt8](repeating: $0, count: blockSize) }
      + [UInt8](repeating: values.last ?? 0, count: last)
  }

  @Test func verifiesWhatTheMountShows() throws {
    // The end of a file is within its last block, whose rest is no part of it.
    let shown = Self.bytes(3, 4, 7, last: 10)
    #expect(try compare(shown, Self.extent(0, at: 2, blocks: 2), Self.extent(2, at: 6)) == .verified(3))
    #expect(try compare([], Self.extent(0, at: 2)) == .verified(0))
  }

  @Test func noticesAnotherByte() throws {
    for place in [0, 4096, 8201] {
      var shown = Self.bytes(3, 4, 7, last: 10)
      shown[place] ^= 1
      #expect(try compare(shown, Self.extent(0, at: 2, blocks: 2), Self.extent(2, at: 6)) == .different)
    }
  }

  @Test func holesAreZeros() throws {
    #expect(try compare(Self.bytes(0, 4, 0, last: 10), Self.extent(1, at: 3)) == .verified(1))
    #expect(try compare(Self.bytes(9, 4), Self.extent(1, at: 3)) == .different)
    #expect(try compare(Self.bytes(4, 9, last: 1), Self.extent(0, at: 3)) == .different)
    #expect(try compare(Self.bytes(9, last: 1)) == .different)
  }

  /// Encoded, inline, not written: the device does not hold what the file shows, or not there.
  @Test func takesNoPlaceThatIsNotPlain() throws {
    let answers = [
      try compare(Self.bytes(3), Self.extent(0, at: 2, isPlain: false)),
      // Behind the device's end, and before what came before.
      try compare(Self.bytes(8, 9), Self.extent(0, at: 7, blocks: 2)),
      try compare(Self.bytes(0, 3), Self.extent(1, at: 2), Self.extent(0, at: 2)),
      try compare(
        Self.bytes(3), FileExtent(fileOffset: 0, deviceOffset: .max, byteCount: 4096, isPlain: true)),
    ]
    for answer in answers {
      guard case .unplaced = answer else {
        Issue.record("\(answer)")
        continue
      }
    }
  }
}
