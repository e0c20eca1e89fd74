@testable import Base
import Testing

/// Published digests, so that the rest can be compared with our own one-shot hash.
@Suite struct HashingTests {
  /// FIPS 180-2, appendices B and C; the empty message from NIST's CAVP short-message tests.
  @Test(arguments: [
    (HashAlgorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      .sha384, "abc",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
    ),
    (
      .sha512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
  ])
  func publishedVectors(algorithm: HashAlgorithm, message: String, digest: String) throws {
    let bytes = Array(message.utf8)
    #expect(try Digest.of(bytes.rawSpan, algorithm).hex == digest)
    // The same message, divided between salt and block in every way.
    for cut in 0..<bytes.count {
      let salt = Array(bytes[..<cut])
      let block = Array(bytes[cut...])
      var hasher = try BlockHasher(algorithm, salt: salt.rawSpan)
      #expect(try hasher.hash(block.rawSpan).hex == digest)
    }
  }

  /// RFC 3720, B.4, where the end is inverted; every way of computing it says the same of every length.
  @Test func checksums() {
    let vectors: [([UInt8], UInt32)] = [
      (Array(repeating: 0, count: 32), 0x8a91_36aa), (Array(repeating: 0xff, count: 32), 0x62a8_ab43),
      (Array(0..<32), 0x46dd_794e), ((0..<32).reversed(), 0x113f_db5c), (Array("123456789".utf8), 0xe306_9283),
    ]
    for (bytes, expected) in vectors {
      #expect(~CRC32C.checksum(bytes) == expected && ~CRC32C.portableChecksum(bytes) == expected)
    }
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
    for count in 0...bytes.count {
      let part = Array(bytes[..<count])
      #expect(CRC32C.checksum(part) == CRC32C.portableChecksum(part), "\(count) bytes")
    }
  }

  /// How a group of blocks is hashed; nil is OpenSSL alone.
  static let kernels: [HashKernel?] = [nil] + HashKernel.allCases.map { $0 }

  /// Every kernel this processor has, against OpenSSL: all salts, sizes around the padding's edges, and numbers
  /// of blocks that do and do not fill the lanes.
  @Test(arguments: kernels)
  func everyKernelAgrees(kernel: HashKernel?) throws {
    if let kernel, !kernel.isAvailable {
      try Test.cancel("this processor has no \(kernel)")
    }
    let lanes = max(1, kernel?.lanes ?? 1)
    for saltSize in 0...256 { try check(kernel, saltSize: saltSize, blockSize: 512, count: lanes) }
    for saltSize in [0, 1, 32, 55, 64, 256] {
      for blockSize in [1, 8, 23, 55, 56, 63, 64, 65, 119, 120, 128, 4096] {
        try check(kernel, saltSize: saltSize, blockSize: blockSize, count: lanes)
      }
    }
    for count in [0, 1, lanes - 1, lanes + 1, 2 * lanes + 3] {
      try check(kernel, saltSize: 32, blockSize: 4096, count: count)
    }
    try check(kernel, saltSize: 7, blockSize: 65536, count: lanes)
  }

  private func check(_ kernel: HashKernel?, saltSize: Int, blockSize: Int, count: Int) throws {
    // Bytes without a period that the sizes share.
    let salt = (0..<saltSize).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
    var blocks = [UInt8](repeating: 0, count: blockSize * count)
    for index in stride(from: 0, to: blocks.count, by: 7) {
      blocks[index] = UInt8(truncatingIfNeeded: index &* 31 &+ 5)
    }
    var digests = [UInt8](repeating: 0, count: 32 * count)
    do {
      var hasher = try BlockHasher(.sha256, salt: salt.rawSpan, kernel: kernel)
      var span = digests.mutableSpan
      var view = span.mutableBytes
      try hasher.hashBlocks(blocks.rawSpan, blockSize: blockSize, into: &view)
    }
    for index in 0..<count {
      let message = salt + blocks[index * blockSize..<(index + 1) * blockSize]
      let expected = try Digest.of(message.rawSpan, kernel: nil).bytes
      #expect(Array(digests[index * 32..<index * 32 + 32]) == expected, "salt \(saltSize), \(blockSize) x \(count)")
    }
  }

  /// One message in pieces of every size around the compression's block, with the SHA extensions and without.
  @Test(arguments: [1, 3, 55, 56, 63, 64, 65, 128, 1000])
  func piecesAgreeWithOpenSSL(piece: Int) throws {
    let message = (0..<4097).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 5) }
    for length in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 4097] {
      var state = try HashState(.sha256)
      for start in stride(from: 0, to: length, by: piece) {
        state.update(Array(message[start..<min(start + piece, length)]).rawSpan)
      }
      let expected = try Digest.of(Array(message[..<length]).rawSpan, kernel: nil)
      #expect(try state.finish() == expected, "\(length) bytes in pieces of \(piece)")
    }
  }

  /// Messages side by side, whose ends come in every order.
  @Test(arguments: [0, 1, 2, 3, 4, 5, 16, 17, 40])
  func severalAgreeWithOpenSSL(count: Int) throws {
    let lengths = [0, 4097, 55, 56, 63, 64, 65, 119, 120, 1, 8192, 128, 127, 1000]
    for shift in 0..<lengths.count {
      let messages = (0..<count).map { index in
        (0..<lengths[(index * 5 + shift) % lengths.count]).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
      }
      let expected = try messages.map { try Digest.of($0.rawSpan, kernel: nil) }
      #expect(try Digest.of(each: messages) == expected, "\(count) messages, from \(lengths[shift]) bytes")
    }
  }

  @Test func refusesBuffersThatDoNotFit() throws {
    var hasher = try BlockHasher(.sha256, salt: [1].rawSpan)
    let blocks = [UInt8](repeating: 0, count: 1024)
    for (blockSize, room) in [(512, 32), (512, 96), (0, 32), (-1, 32), (1000, 32)] {
      var digests = [UInt8](repeating: 0, count: room)
      var span = digests.mutableSpan
      var view = span.mutableBytes
      #expect(throws: HashingError.self) { try hasher.hashBlocks(blocks.rawSpan, blockSize: blockSize, into: &view) }
    }
  }
}
