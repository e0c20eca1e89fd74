import Base
import Verity
import TestSupport
import Testing

/// The digests that `fsverity digest` computes are the oracle.
struct DigestTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let size: Int
    var algorithm = HashAlgorithm.sha256
    var blockSize = 4096
    var salt: [UInt8] = []
    var testDescription: String { "\(size) bytes, \(algorithm.rawValue), \(blockSize), salt of \(salt.count)" }
  }

  static let shapes: [Shape] =
    [0, 1, 4095, 4096, 4097, 8192, 4096 * 128, 4096 * 128 + 1, 4096 * 129, 1_234_567].map { Shape(size: $0) } + [
      Shape(size: 0, algorithm: .sha512), Shape(size: 300_001, algorithm: .sha512),
      Shape(size: 100_000, blockSize: 1024), Shape(size: 100_000, blockSize: 65536),
      Shape(size: 100_000, salt: [1, 2, 3]), Shape(size: 100_000, algorithm: .sha512, salt: Array(0..<32)),
      Shape(size: 4096, salt: Array(0..<32)), Shape(size: 0, salt: [7]),
    ]

  private static func content(_ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
  }

  @Test(arguments: shapes)
  func digest(_ shape: Shape) throws {
    let content = Self.content(shape.size)
    let descriptor = try VerityDescriptor.describing(
      content.rawSpan, algorithm: shape.algorithm, blockSize: shape.blockSize, salt: shape.salt)
    let directory = try TemporaryDirectory()
    let path = try directory.write("file", content)
    var command = [
      "fsverity", "digest", "--compact", "--hash-alg=\(shape.algorithm.rawValue)", "--block-size=\(shape.blockSize)",
    ]
    if !shape.salt.isEmpty { command.append("--salt=\(Hex.encode(shape.salt))") }
    let digest = try descriptor.digest
    #expect(try digest.hex == Tools.run(command + [path]).trimmed)
    // What a builtin signature is made over, from the same tool.
    let signed = try Tools.run(command + ["--for-builtin-sig", path]).trimmed
    #expect(Hex.encode(VerityDescriptor.signedBytes(of: digest)) == signed)
    #expect(try VerityDescriptor(parsing: descriptor.bytes) == descriptor)
  }

  @Test("A flipped bit anywhere, a byte more or less: the bytes are not those of the file")
  func mismatch() throws {
    let content = Self.content(20_000)
    let descriptor = try VerityDescriptor.describing(content.rawSpan)
    let measured = try descriptor.digest
    try descriptor.prove(content.rawSpan, measured: measured)
    for position in [0, 4095, 4096, 19_999] {
      var changed = content
      changed[position] ^= 1
      #expect { try descriptor.prove(changed.rawSpan, measured: measured) } throws: { error in
        if case .contentMismatch? = error as? FSVerityError { true } else { false }
      }
    }
    for changed in [Array(content.dropLast()), content + [0]] {
      #expect(throws: FSVerityError.self) { try descriptor.prove(changed.rawSpan, measured: measured) }
    }
  }

  @Test("A descriptor of another file does not hash to the digest")
  func foreignDescriptor() throws {
    let content = Self.content(5000)
    let other = try VerityDescriptor.describing(Self.content(5001).rawSpan)
    let measured = try VerityDescriptor.describing(content.rawSpan).digest
    #expect { try other.prove(content.rawSpan, measured: measured) } throws: { error in
      if case .digestMismatch? = error as? FSVerityError { true } else { false }
    }
  }

  @Test("A descriptor is taken only as the kernel would have written it")
  func descriptors() throws {
    let good = try VerityDescriptor.describing(Self.content(5000).rawSpan, salt: [1, 2]).bytes
    #expect(good.count == 256)
    _ = try VerityDescriptor(parsing: good)
    // The size of a signature is not part of it.
    var signed = good
    signed[4] = 200
    #expect(try VerityDescriptor(parsing: signed) == VerityDescriptor(parsing: good))
    for (position, value) in [(0, 2), (1, 0), (1, 3), (2, 9), (2, 17), (3, 33), (50, 1), (85, 1), (112, 1), (255, 1)] {
      var bad = good
      bad[position] = UInt8(value)
      #expect(throws: FSVerityError.self, "byte \(position)") { try VerityDescriptor(parsing: bad) }
    }
    for count in [0, 255, 257] {
      #expect(throws: FSVerityError.self) { try VerityDescriptor(parsing: [UInt8](repeating: 0, count: count)) }
    }
    // Random bytes end in an error or a descriptor.
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var bytes = good
      bytes[Int.random(in: 0..<256, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = try? VerityDescriptor(parsing: bytes)
    }
  }

  @Test("Block sizes, salts and algorithms that fs-verity does not have are refused")
  func parameters() {
    let content = [UInt8](repeating: 1, count: 10)
    for (blockSize, salt) in [(512, 0), (1000, 0), (131_072, 0), (0, 0), (-1, 0), (4096, 33)] {
      #expect(throws: FSVerityError.self) {
        try VerityDescriptor.describing(
          content.rawSpan, blockSize: blockSize, salt: [UInt8](repeating: 0, count: salt))
      }
    }
  }
}
