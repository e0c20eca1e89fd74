import Base
import Verity
import Testing

/// Root hashes of data whose block i is filled with the little-endian 32-bit number i, under a salt of 32 zero bytes,
/// as veritysetup 2.6.1 computes them.
@Suite struct GoldenVectorTests {
  static func counted(_ blocks: Int, blockSize: Int) -> [UInt8] {
    var data: [UInt8] = []
    data.reserveCapacity(blocks * blockSize)
    for index in 0..<blocks {
      let words = [UInt32](repeating: UInt32(index).littleEndian, count: blockSize / 4)
      words.withUnsafeBytes { data.append(contentsOf: $0) }
    }
    return data
  }

  @Test(arguments: [
    (1, "2e534ef0107d592d1706ac38ad58596b85ef3375d360a6d669f974792df5cb5a"),
    (2, "1a5d1cdc4169b8fa5e57fbc4891ca3c1d90e5287014c42cc95609b6793900bf5"),
    (127, "6e67232c682b5de29d8f6cde0af8034869fb5242a6bfbbaab3ad9caff1b6ea85"),
    (128, "e05acccca9a8377c08df3c55ab647d4e25197ce6d1884f9b5a4c0583a60a74a0"),
    (129, "666f334a35e4d664a25c98c8fa88102f2581df8860ab815413856a9381674dc0"),
  ])
  func fourKibibyteBlocks(blocks: Int, rootHash: String) throws {
    let image = try MemoryImage.build(
      data: Self.counted(blocks, blockSize: 4096), salt: [UInt8](repeating: 0, count: 32))
    #expect(image.rootHash.hex == rootHash)
    let device = try image.device()
    for index in 0..<UInt64(blocks) {
      let first = try device.block(index).bytes.u32(at: 4092)
      #expect(first == UInt32(index))
    }
  }

  @Test func unequalBlockSizes() throws {
    let image = try MemoryImage.build(
      data: Self.counted(16385, blockSize: 512), dataBlockSize: 512, salt: [UInt8](repeating: 0, count: 32))
    #expect(image.rootHash.hex == "1a76fcb16bff56f63ca9df5076785c7144655f247b35550a226c08b3515fd9da")
    #expect(image.layout.geometry.levels.map(\.blockCount) == [129, 2, 1])
    #expect(image.layout.geometry.levels.map(\.firstBlock) == [3, 1, 0])
  }
}
