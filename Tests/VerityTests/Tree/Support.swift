import Base
import Verity
import Linux
import TestSupport
import Testing

extension Int {
  /// So many threads.
  var threads: Threads { Processors.threads(self) }
}

/// Numbers that look random and are the same in every run (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { bytes.appendLittleEndian(next()) }
    return Array(bytes.prefix(count))
  }
}

/// How a tree is made; printed by a failing test.
struct Shape: Sendable, CustomTestStringConvertible {
  var blocks: Int
  var dataBlockSize = 4096
  var hashBlockSize = 4096
  var algorithm = HashAlgorithm.sha256
  var saltSize = 32
  var seed: UInt64 = 1

  var testDescription: String {
    "\(blocks) x \(dataBlockSize), hash blocks \(hashBlockSize), \(algorithm), salt \(saltSize), seed \(seed)"
  }

  func image() throws -> MemoryImage {
    var generator = SeededGenerator(seed)
    // Random once, then told apart by its number: every block differs, and a large image is made quickly.
    var block = generator.bytes(dataBlockSize)
    var data: [UInt8] = []
    data.reserveCapacity(blocks * dataBlockSize)
    for index in 0..<blocks {
      block.storeLittleEndian(UInt64(index), at: dataBlockSize / 2)
      data += block
    }
    return try MemoryImage.build(
      data: data, algorithm: algorithm, dataBlockSize: dataBlockSize, hashBlockSize: hashBlockSize,
      salt: generator.bytes(saltSize))
  }
}

extension MemoryImage {
  /// Reads every block through a device, one by one, and compares it with the data.
  func proveEveryBlock() throws {
    let device = try device()
    for index in 0..<layout.parameters.dataBlockCount {
      let start = Int(index) * device.blockSize
      let same = try device.block(index).bytes.hasSameBytes(
        as: bytes.rawSpan.extracting(start..<start + device.blockSize))
      #expect(same)
    }
  }
}

/// The check of a whole image in memory.
func verify(
  _ bytes: [UInt8], _ layout: VerityLayout, _ rootHash: Digest, threads: Int = 2
) throws -> VerificationReport {
  let source = ArraySource(bytes)
  return try layout.verify(data: source, hashes: source, rootHash: rootHash, threads: threads.threads)
}

func sha256(_ bytes: [UInt8]) throws -> Digest { try Digest.of(bytes.rawSpan) }

extension ArraySink {
  mutating func put(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws {
    let copy = Array(bytes)
    try write(copy.rawSpan, at: offset)
  }
}

/// veritysetup(8), the other implementation of this format.
enum VeritySetup {
  static func run(_ arguments: [String]) throws -> Subprocess.Result {
    try Subprocess.run(["veritysetup"] + arguments)
  }

  static func isInstalled() -> Bool { (try? run(["--version"]).status) == 0 }
}
