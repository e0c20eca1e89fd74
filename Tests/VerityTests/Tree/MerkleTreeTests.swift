import Base
import Verity
import Testing

/// dm-verity's tree and fs-verity's are one; both against the definition, level by level and hash by hash.
@Suite struct MerkleTreeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let size: Int
    var blockSize = 4096
    var algorithm = HashAlgorithm.sha256
    var salt: [UInt8] = []
    var testDescription: String { "\(size) bytes, blocks of \(blockSize), \(algorithm), salt of \(salt.count)" }
  }

  /// Sizes about those at which a block, a leaf or a level begins: 1024 / 32 = 32 digests a block, 1024 blocks two levels.
  static let cases: [Case] =
    [1, 1023, 1024, 1025, 32 * 1024, 32 * 1024 + 1, 33 * 1024, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1].flatMap {
      [Case(size: $0, blockSize: 1024), Case(size: $0, blockSize: 1024, salt: [1, 2, 3])]
    } + [
      Case(size: 300_000, algorithm: .sha512, salt: Array(0..<32)),
      Case(size: 16 * 1024 + 1, blockSize: 1024, algorithm: .sha512),
      Case(size: 70_000, blockSize: 65536), Case(size: 600_000, salt: Array(0..<32)),
    ]

  /// The levels above some data, the data's own digests first, until there is one digest.
  private static func levels(_ content: [UInt8], _ salt: [UInt8], _ shape: Case) throws -> [[UInt8]] {
    var levels: [[UInt8]] = []
    var below = content
    repeat {
      var digests: [UInt8] = []
      for start in stride(from: 0, to: below.count, by: shape.blockSize) {
        let block = below[start..<min(start + shape.blockSize, below.count)]
        let zeros = [UInt8](repeating: 0, count: shape.blockSize - block.count)
        digests += try Digest.of((salt + block + zeros).rawSpan, shape.algorithm, kernel: nil).bytes
      }
      levels.append(digests)
      below = digests
    } while below.count > shape.algorithm.digestSize
    return levels
  }

  @Test(arguments: cases)
  func bothAreTheDefinitions(shape: Case) throws {
    var generator = SeededGenerator(UInt64(shape.size))
    let content = generator.bytes(shape.size)
    let plain = try Self.levels(content, shape.salt, shape)
    let image = try MemoryImage.build(
      data: content, algorithm: shape.algorithm, dataBlockSize: shape.blockSize, hashBlockSize: shape.blockSize,
      salt: shape.salt)
    #expect(image.rootHash.bytes == plain.last)
    // Each level lies where the geometry says, filled up with zeros; the last one comes first.
    let geometry = image.layout.geometry
    #expect(geometry.levels.count == plain.count - 1)
    var next: UInt64 = 0
    for (level, digests) in zip(geometry.levels, plain).reversed() {
      #expect(level.firstBlock == next)
      next += level.blockCount
      let size = UInt64(shape.blockSize)
      let start = Int(image.layout.treeOffset + level.firstBlock * size)
      let bytes = image.bytes[start..<start + Int(level.blockCount * size)]
      #expect(bytes.starts(with: digests))
      #expect(bytes.dropFirst(digests.count).allSatisfy { $0 == 0 } && bytes.count - digests.count < shape.blockSize)
    }
    #expect(geometry.blockCount == next)
    // The digest of each data block is where the layout says.
    let digestSize = shape.algorithm.digestSize
    for block in 0..<plain[0].count / digestSize {
      guard let place = image.layout.digestOffset(ofDataBlock: UInt64(block)) else {
        #expect(plain.count == 1)
        continue
      }
      let digest = plain[0][block * digestSize..<(block + 1) * digestSize]
      #expect(image.bytes[Int(place)...].starts(with: digest), "block \(block)")
    }

    // fs-verity fills up the salt.
    let inputSize = shape.algorithm == .sha512 ? 128 : 64
    let padded = shape.salt.isEmpty ? [] : shape.salt + [UInt8](repeating: 0, count: inputSize - shape.salt.count)
    let file = try VerityDescriptor.describing(
      content.rawSpan, algorithm: shape.algorithm, blockSize: shape.blockSize, salt: shape.salt)
    #expect(file.rootHash == (try Self.levels(content, padded, shape)).last)
    let sameTree = try MemoryImage.build(
      data: content, algorithm: shape.algorithm, dataBlockSize: shape.blockSize, hashBlockSize: shape.blockSize,
      salt: padded)
    #expect(file.rootHash == sameTree.rootHash.bytes)
  }

  /// The blocks that each of the two has, at the edges.
  @Test func blockSizes() throws {
    for size in [-4096, 0, 1, 256, 511, 512, 513, 1000, 1023, 1024, 4096, 65535, 65536, 65537, 131_072, .max] {
      let isPower = size > 0 && size & (size - 1) == 0
      let device = try? VerityParameters(dataBlockSize: size, dataBlockCount: 1)
      #expect((device != nil) == (isPower && size >= 512 && size <= 65536), "\(size)")
      #expect((try? VerityParameters(hashBlockSize: size, dataBlockCount: 1)) != nil || device == nil)
      let file = try? VerityDescriptor(blockSize: size, dataSize: 0, rootHash: [UInt8](repeating: 0, count: 32))
      #expect((file != nil) == (isPower && size >= 1024 && size <= 65536), "\(size)")
    }
  }
}
