import Base
import Verity
import Synchronization
import Testing

/// Proving blocks in a row at once comes to the same as proving them one by one.
@Suite struct RunTests {
  /// Counts what is read of it.
  struct CountingSource: ByteSource {
    let base: ArraySource
    final class Count: Sendable { let reads = Atomic<Int>(0) }
    let count = Count()

    var byteCount: UInt64 { base.byteCount }

    func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
      count.reads.add(1, ordering: .relaxed)
      try base.read(at: offset, into: &buffer)
    }
  }

  static let shapes = [
    Shape(blocks: 1), Shape(blocks: 2), Shape(blocks: 129), Shape(blocks: 400),
    Shape(blocks: 300, dataBlockSize: 512, hashBlockSize: 512, algorithm: .sha512),
    Shape(blocks: 40, dataBlockSize: 1024, hashBlockSize: 65536),
  ]

  @Test(arguments: shapes)
  func everyRunIsProven(shape: Shape) throws {
    let image = try shape.image()
    var generator = SeededGenerator(7)
    for _ in 0..<40 {
      let device = try image.device()
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let start = UInt64.random(in: 0..<UInt64(shape.blocks), using: &generator)
        let end = UInt64.random(in: start...UInt64(shape.blocks), using: &generator)
        try device.prove(start..<end)
        for index in start..<end {
          let same = try device.block(index).bytes.hasSameBytes(
            as: image.bytes[Int(index) * shape.dataBlockSize..<Int(index + 1) * shape.dataBlockSize].span.bytes)
          #expect(same, "block \(index)")
        }
      }
    }
  }

  /// What was proven in a run is not read again, and a run is read at once.
  @Test func aRunIsOneRead() throws {
    let image = try Shape(blocks: 400).image()
    let source = CountingSource(base: ArraySource(image.bytes))
    let count = source.count
    let device = try VerifiedDevice(source, layout: image.layout, rootHash: image.rootHash)
    try device.prove(0..<1)
    // The root, a leaf and the block.
    #expect(count.reads.load(ordering: .relaxed) == 3)
    try device.prove(0..<60)
    #expect(count.reads.load(ordering: .relaxed) == 4)
    for index in 0..<60 as Range<UInt64> { _ = try device.block(index).bytes.byteCount }
    try device.prove(10..<20)
    #expect(count.reads.load(ordering: .relaxed) == 4)
    #expect(device.provenByteCount == 62 * 4096)
  }

  @Test(arguments: [0, 3, 63, 64, 127, 128, 299])
  func aBadBlockIsNamed(bad: Int) throws {
    let image = try Shape(blocks: 300).image()
    var bytes = image.bytes
    bytes[bad * 4096 + 9] ^= 1
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: image.rootHash)
    let error = #expect(throws: VerityError.self) { try device.prove(0..<300) }
    guard case .dataMismatch(UInt64(bad), _, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    for index in 0..<300 as Range<UInt64> {
      if index == UInt64(bad) {
        #expect(throws: VerityError.self) { try device.block(index).bytes.byteCount }
      } else {
        _ = try device.block(index).bytes.byteCount
      }
    }
  }

  @Test func aBadHashBlockIsNamed() throws {
    let image = try Shape(blocks: 300).image()
    var bytes = image.bytes
    bytes[Int(image.layout.treeOffset) + 4096 + 40] ^= 1
    let device = try VerifiedDevice(ArraySource(bytes), layout: image.layout, rootHash: image.rootHash)
    let error = #expect(throws: VerityError.self) { try device.prove(0..<100) }
    guard case .treeMismatch(0, 0, _, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try device.prove(128..<300)
  }

  @Test func runsStayWithinTheDeviceAndTheMemory() throws {
    for blocks in [1, 300] as [UInt64] {
      let image = try Shape(blocks: Int(blocks)).image()
      let device = try image.device()
      #expect(throws: VerityError.blockOutOfRange(index: blocks, count: blocks)) {
        try device.prove(0..<blocks + 1)
      }
      #expect(throws: VerityError.self) { try device.prove(.max - 1..<(.max)) }
      try device.prove(0..<0)
      #expect(device.provenByteCount == 0)
    }
    let image = try Shape(blocks: 300).image()
    let small = try VerifiedDevice(
      ArraySource(image.bytes), layout: image.layout, rootHash: image.rootHash, memoryLimit: 16 * 4096)
    #expect(throws: VerityError.memoryLimit(16 * 4096)) { try small.prove(0..<60) }
    try small.prove(0..<10)
    #expect(small.provenByteCount == 12 * 4096)
  }
}
