import Base
import Verity
import Testing

/// A root hash alone does not say how it was made. Two ways to give it a second meaning, each reproduced, then refused.
@Suite struct AmbiguityTests {
  static let salt = [UInt8](0..<32)

  /// Level confusion: the leaves of an evil image of 256 blocks are the data of an innocent one of 2.
  ///
  /// Neither image has anything wrong in itself and the root hashes are equal, so what tells them apart is the number
  /// of data blocks: the place of the superblock binds it to the size of the file system.
  @Test func levelConfusion() throws {
    var generator = SeededGenerator(3)
    let evil = try MemoryImage.build(data: generator.bytes(256 * 4096), salt: Self.salt)
    let leaves = Int(evil.layout.treeOffset) + 4096
    let innocent = try MemoryImage.build(data: Array(evil.bytes[leaves..<leaves + 8192]), salt: Self.salt)
    #expect(innocent.rootHash == evil.rootHash)

    // The innocent file with the evil number of blocks, and the other way round.
    for (image, blocks) in [(innocent, UInt64(256)), (evil, 2)] {
      let parameters = try VerityParameters(dataBlockCount: blocks, salt: Self.salt)
      let superblock = Superblock(parameters: parameters, uuid: image.layout.superblock.uuid)
      let offset = image.layout.superblockOffset
      var bytes = image.bytes
      bytes.replaceSubrange(Int(offset)..<Int(offset) + 512, with: superblock.serialized())
      #expect(throws: VerityError.dataSize(blocks: blocks, expected: blocks * 4096, superblockOffset: offset)) {
        try VerityLayout.read(appendedTo: ArraySource(bytes), superblockOffset: offset)
      }
    }
  }

  /// The form that would pass for an innocent image: digests of 32 evil blocks in its first kilobyte only. A kernel,
  /// which checks lazily, serves those 32 blocks; checking every block refuses the image.
  @Test func levelConfusionInTheBootArea() throws {
    var generator = SeededGenerator(4)
    let evil = generator.bytes(32 * 4096)
    var boot: [UInt8] = []
    for block in 0..<32 { boot += try sha256(Self.salt + evil[block * 4096..<(block + 1) * 4096]).bytes }
    let innocent = try MemoryImage.build(data: boot + generator.bytes(8192 - boot.count), salt: Self.salt)

    // The smuggled image: its data the 32 blocks and zeros, its leaves the innocent data, its top the innocent top.
    let parameters = try VerityParameters(dataBlockCount: 256, salt: Self.salt)
    let superblock = Superblock(parameters: parameters, uuid: innocent.layout.superblock.uuid)
    let layout = try VerityLayout(
      superblock: superblock, placement: .appended, superblockOffset: parameters.dataByteCount)
    var sink = ArraySink(evil)
    try layout.writeSuperblock(to: &sink)
    let top = Int(innocent.layout.treeOffset)
    try sink.put(innocent.bytes[top..<top + 4096], at: layout.treeOffset)
    try sink.put(innocent.bytes[0..<8192], at: layout.treeOffset + 4096)

    let read = try VerityLayout.read(appendedTo: ArraySource(sink.bytes), superblockOffset: layout.superblockOffset)
    let device = try VerifiedDevice(ArraySource(sink.bytes), layout: read, rootHash: innocent.rootHash)
    let lazily = try device.block(31).bytes.byteCount
    #expect(lazily == 4096, "the attack does not work as described")
    let report = try verify(sink.bytes, read, innocent.rootHash)
    #expect(!report.isSound && report.provenBlocks == 32 && report.faultCount == 224)
  }

  /// Type confusion: hash type 0 puts the salt after the block, so the same digest belongs to a shifted block.
  @Test func typeConfusion() throws {
    var generator = SeededGenerator(6)
    let block = generator.bytes(4096)
    let image = try MemoryImage.build(data: block, salt: Self.salt)
    let shifted = Self.salt + block.dropLast(32)
    let newSalt = Array(block.suffix(32))
    // H(shifted || new salt), which is how type 0 hashes.
    #expect(try sha256(shifted + newSalt) == image.rootHash)

    var bytes = shifted + image.bytes.dropFirst(4096)
    bytes[4096 + 12] = 0
    bytes.replaceSubrange(4096 + 88..<4096 + 120, with: newSalt)
    let refusal = #expect(throws: VerityError.self) {
      try VerityLayout.read(appendedTo: ArraySource(bytes), superblockOffset: 4096)
    }
    let diagnostic = try #require(refusal?.diagnostic)
    #expect(diagnostic.code == "verity.unsupported" && diagnostic.message.contains("hash type"))
    // Called type 1, it does not verify.
    let patched = bytes[..<4108] + [1] + bytes[4109...]
    let layout = try VerityLayout.read(appendedTo: ArraySource(Array(patched)), superblockOffset: 4096)
    #expect(try verify(Array(patched), layout, image.rootHash).faults.first?.area == .root)
  }
}
