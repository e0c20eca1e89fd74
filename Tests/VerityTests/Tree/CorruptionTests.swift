import Base
import Verity
import Testing

/// Whatever is changed under the root hash is noticed, named and placed.
@Suite struct CorruptionTests {
  /// Three levels: 8 digests of 64 bytes in a hash block.
  static let deep = Shape(blocks: 300, dataBlockSize: 512, hashBlockSize: 512, algorithm: .sha512)

  @Test func everyBlockOfASoundImageIsProven() throws {
    for shape in [Self.deep, Shape(blocks: 1), Shape(blocks: 130), Shape(blocks: 2, dataBlockSize: 65536)] {
      let image = try shape.image()
      try image.proveEveryBlock()
      for threads in [1, 2, 5] {
        let report = try verify(image.bytes, image.layout, image.rootHash, threads: threads)
        #expect(report.isSound)
        #expect(report.provenBlocks == UInt64(shape.blocks))
      }
    }
  }

  @Test func namesADataBlock() throws {
    let image = try Self.deep.image()
    var bytes = image.bytes
    bytes[299 * 512 + 17] ^= 4
    bytes[3 * 512] ^= 1
    let report = try verify(bytes, image.layout, image.rootHash)
    #expect(report.faultCount == 2 && report.provenBlocks == 298 && report.unprovenBlocks == 0)
    #expect(report.faults.map(\.block) == [3, 299])
    #expect(report.faults.map(\.offset) == [3 * 512, 299 * 512])
    #expect(report.faults.allSatisfy { $0.area == .data && $0.level == nil })
    let diagnostic = try #require(report.faults.first).error.diagnostic
    #expect(diagnostic.code == "verity.data-mismatch" && diagnostic.category == .integrity)
    #expect(diagnostic.message.contains("data block 3") && diagnostic.message.contains("byte 1536"))
    #expect(diagnostic.next != nil && diagnostic.expected != nil && diagnostic.found != nil)

    // Block by block: the others are still proven.
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: image.rootHash)
    let size = try device.block(4).bytes.byteCount
    #expect(size == 512)
    #expect(throws: VerityError.self) { try device.block(3).bytes.byteCount }
    #expect(throws: VerityError.blockOutOfRange(index: 300, count: 300)) { try device.block(300).bytes.byteCount }
    #expect(throws: VerityError.self) { try device.block(.max).bytes.byteCount }
  }

  /// One bit in a hash block of each level: leaves, inner level, root.
  @Test(arguments: [0, 1, 2])
  func namesAHashBlock(level: Int) throws {
    let image = try Self.deep.image()
    let geometry = image.layout.geometry
    try #require(geometry.levels.count == 3)
    let offset = Int(image.layout.treeOffset) + Int(geometry.levels[level].firstBlock) * 512
    var bytes = image.bytes
    bytes[offset + 5] ^= 0x10
    let report = try verify(bytes, image.layout, image.rootHash)
    let fault = try #require(report.faults.first)
    #expect(report.faultCount == 1)
    #expect(fault.area == (level == 2 ? .root : .tree) && fault.level == level && fault.block == 0)
    #expect(fault.offset == UInt64(offset))
    let below = [8, 64, 300][level]
    #expect(report.unprovenBlocks == UInt64(below) && report.provenBlocks == UInt64(300 - below))
    #expect(fault.error.diagnostic.code == (level == 2 ? "verity.root-mismatch" : "verity.tree-mismatch"))
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: image.rootHash)
    #expect(throws: fault.error) { try device.block(0).bytes.byteCount }
  }

  /// A spare area that the tree above vouches for: the kernel would not look, veritysetup and we do.
  @Test func refusesASpareAreaThatIsNotZero() throws {
    let image = try Shape(blocks: 3).image()
    let root = Int(image.layout.treeOffset)
    var bytes = image.bytes
    bytes[root + 4095] = 1
    let top = Array(bytes[root..<root + 4096])
    let rootHash = try sha256(image.layout.parameters.salt + top)
    let report = try verify(bytes, image.layout, rootHash)
    #expect(report.faults.map(\.error) == [.spareNotZero(level: 0, index: 0, offset: UInt64(root))])
    #expect(report.unprovenBlocks == 3)
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: rootHash)
    #expect(throws: VerityError.spareNotZero(level: 0, index: 0, offset: UInt64(root))) {
      try device.block(0).bytes.byteCount
    }
  }

  @Test func refusesAnotherRootHash() throws {
    for shape in [Shape(blocks: 1), Shape(blocks: 200)] {
      let image = try shape.image()
      var wrong = image.rootHash.bytes
      wrong[31] ^= 1
      let rootHash = try #require(Digest(.sha256, bytes: wrong))
      let report = try verify(image.bytes, image.layout, rootHash)
      #expect(report.faultCount == 1 && report.faults.first?.area == .root)
      #expect(report.faults.first?.error.diagnostic.found == "\(image.rootHash)")
      #expect(report.provenBlocks == 0)
      let long = try #require(Digest(.sha512, bytes: wrong + wrong))
      #expect(throws: VerityError.rootHashAlgorithm(expected: .sha256, found: .sha512)) {
        try verify(image.bytes, image.layout, long)
      }
    }
  }

  /// Any single bit of data or tree; and of the superblock, where the UUID alone is nobody's proof.
  @Test(arguments: [deep, Shape(blocks: 140, saltSize: 7), Shape(blocks: 1), Shape(blocks: 70, hashBlockSize: 512)])
  func everyBitCounts(shape: Shape) throws {
    let image = try shape.image()
    var generator = SeededGenerator(shape.seed + 99)
    let superblock = Int(image.layout.superblockOffset)
    // The superblock is a small target: half of the trials go there.
    for trial in 0..<300 {
      let range = trial.isMultiple(of: 2) ? superblock..<superblock + 512 : 0..<image.bytes.count
      let byte = Int.random(in: range, using: &generator)
      var bytes = image.bytes
      bytes[byte] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      if (superblock + 16..<superblock + 32).contains(byte) {
        let layout = try VerityLayout.read(appendedTo: ArraySource(bytes), superblockOffset: UInt64(superblock))
        #expect(try layout.superblock.uuid != Superblock.derivedUUID(salt: layout.parameters.salt))
      } else {
        #expect(try !isAccepted(bytes, superblock: superblock, rootHash: image.rootHash), "byte \(byte)")
      }
    }
  }

  /// An image cut off anywhere, or with anything after its end, does not get as far as a device.
  @Test func everyByteIsAccountedFor() throws {
    let image = try Shape(blocks: 10, dataBlockSize: 512, hashBlockSize: 1024).image()
    let superblock = Int(image.layout.superblockOffset)
    for count in stride(from: 0, to: image.bytes.count, by: 61) {
      #expect(try !isAccepted(Array(image.bytes.prefix(count)), superblock: superblock, rootHash: image.rootHash))
    }
    for tail in [1, 511, 512, 4096] {
      let bytes = image.bytes + [UInt8](repeating: 0, count: tail)
      #expect(throws: VerityError.trailingBytes(.image, expected: image.layout.treeEnd, actual: UInt64(bytes.count))) {
        try VerityLayout.read(appendedTo: ArraySource(bytes), superblockOffset: UInt64(superblock))
      }
    }
    // A build that stopped half-way: the tree was made long enough, but not filled.
    let tree = Int(image.layout.treeOffset)
    let half = Array(image.bytes.prefix(tree)) + [UInt8](repeating: 0, count: image.bytes.count - tree)
    #expect(try !isAccepted(half, superblock: superblock, rootHash: image.rootHash))
    // A gap that is not zero lies under no hash.
    var gap = image.bytes
    gap[superblock + 512] = 1
    #expect(throws: VerityError.gapNotZero(offset: UInt64(superblock + 512))) {
      try VerityLayout.read(appendedTo: ArraySource(gap), superblockOffset: UInt64(superblock))
    }
  }

  @Test func manyFaultsAreCountedAndTheFirstKept() throws {
    let image = try Shape(blocks: 2000, dataBlockSize: 512).image()
    var bytes = image.bytes
    for block in 0..<2000 { bytes[block * 512 + block % 512] ^= 1 }
    let report = try verify(bytes, image.layout, image.rootHash)
    #expect(report.faultCount == 2000 && report.faults.count == VerificationReport.faultLimit)
    #expect(report.faults.map(\.block) == Array(0..<UInt64(VerificationReport.faultLimit)))
  }

  @Test func keepsToItsMemoryLimitAndStopsWhenTold() throws {
    let image = try Shape(blocks: 40).image()
    let device = try VerifiedDevice(
      ArraySource(image.bytes), layout: image.layout, rootHash: image.rootHash, memoryLimit: 3 * 4096)
    let sizes = try [device.block(0).bytes.byteCount, device.block(1).bytes.byteCount, device.block(0).bytes.byteCount]
    #expect(sizes == [4096, 4096, 4096])
    #expect(throws: VerityError.memoryLimit(3 * 4096)) { try device.block(2).bytes.byteCount }
    let source = ArraySource(image.bytes)
    #expect(throws: VerityError.cancelled) {
      try image.layout.verify(
        data: source, hashes: source, rootHash: image.rootHash, threads: 2.threads
      ) { _, _ in false }
    }
  }

  /// The memory that was checked is the memory that is seen: a source that changes afterwards changes nothing.
  @Test func readsEachBlockOnce() throws {
    let image = try Shape(blocks: 4).image()
    let source = ChangingSource(image.bytes)
    let device = try VerifiedDevice(source, layout: image.layout, rootHash: image.rootHash)
    let first = try device.block(2).bytes.copyBytes()
    let again = try device.block(2).bytes.copyBytes()
    #expect(first == again && first == Array(image.bytes[8192..<12288]))
  }

  private func isAccepted(_ bytes: [UInt8], superblock: Int, rootHash: Digest) throws -> Bool {
    let source = ArraySource(bytes)
    do {
      let layout = try VerityLayout.read(appendedTo: source, superblockOffset: UInt64(superblock))
      return try layout.verify(data: source, hashes: source, rootHash: rootHash, threads: .one).isSound
    } catch {
      #expect(error.diagnostic.category != .usage)
      return false
    }
  }
}

/// A source whose every byte turns over after it was read.
private final class ChangingSource: ByteSource {
  private var bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }
  var byteCount: UInt64 { UInt64(bytes.count) }

  func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
    let count = buffer.byteCount
    try ArraySource(bytes).read(at: offset, into: &buffer)
    for index in Int(offset)..<Int(offset) + count { bytes[index] ^= 0xff }
  }
}
