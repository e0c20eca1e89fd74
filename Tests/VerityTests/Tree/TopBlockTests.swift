import Base
import Verity
import Synchronization
import TestSupport
import Testing

/// The block under the root hash, read once for the root hash and for the proofs.
@Suite struct TopBlockTests {
  private func top(_ image: MemoryImage, _ bytes: [UInt8]? = nil) throws -> TopBlock {
    let source = ArraySource(bytes ?? image.bytes)
    return try image.layout.topBlock(data: source, hashes: source)
  }

  /// Reads that proving the first block takes.
  private func reads(_ image: MemoryImage, _ top: TopBlock?) throws -> Int {
    let source = RunTests.CountingSource(base: ArraySource(image.bytes))
    let count = source.count
    let device = try VerifiedDevice(source, layout: image.layout, rootHash: image.rootHash, top: top)
    let first = Array(image.bytes[..<device.blockSize])
    let isSame = try device.block(0).bytes.hasSameBytes(as: first.rawSpan)
    #expect(isSame)
    return count.reads.load(ordering: .relaxed)
  }

  @Test(arguments: RunTests.shapes)
  func isReadOnce(shape: Shape) throws {
    let image = try shape.image()
    let top = try top(image)
    #expect(top.digest == image.rootHash)
    #expect(try reads(image, top) == reads(image, nil) - 1)
  }

  /// What is given is used for nothing but the root hash and the layout it is of.
  @Test(arguments: [1, 200])
  func anotherOneIsNotUsed(blocks: Int) throws {
    let image = try Shape(blocks: blocks).image()
    var changed = image.bytes
    changed[0] ^= 1
    if blocks > 1 { changed[Int(image.layout.treeOffset)] ^= 1 }
    let other = try top(image, changed)
    #expect(other.digest != image.rootHash)
    #expect(try reads(image, other) == reads(image, nil))
    let resized = try MemoryImage.build(data: Array(image.bytes[..<4096]), dataBlockSize: 512, hashBlockSize: 512)
    #expect(try reads(image, top(resized)) == reads(image, nil))

    // The image whose top it is, against the root hash of the one before.
    let device = try VerifiedDevice(
      ArraySource(changed), layout: image.layout, rootHash: image.rootHash, top: other)
    #expect(throws: VerityError.self) { try device.block(0).bytes.byteCount }
  }

  @Test func itsSpareAreaHasToBeZero() throws {
    let image = try Shape(blocks: 3).image()
    let root = Int(image.layout.treeOffset)
    var bytes = image.bytes
    bytes[root + 4095] = 1
    let top = try top(image, bytes)
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: top.digest, top: top)
    #expect(throws: VerityError.spareNotZero(level: 0, index: 0, offset: UInt64(root))) {
      try device.block(0).bytes.byteCount
    }
  }

  /// What was hashed is what is used, whatever becomes of the file meanwhile.
  @Test func laterChangesHaveNoEffect() throws {
    let image = try Shape(blocks: 200).image()
    let top = try top(image)
    var bytes = image.bytes
    bytes[Int(image.layout.treeOffset)] ^= 1
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: image.rootHash, top: top)
    let size = try device.block(0).bytes.byteCount
    #expect(size == 4096)
  }
}
