import Base
import Verity
import Testing

/// What the whitelist lets through, and what it refuses by name.
@Suite struct SuperblockTests {
  static let sound: [UInt8] = {
    guard
      let parameters = try? VerityParameters(dataBlockCount: 7, salt: [1, 2, 3]),
      let uuid = try? Superblock.derivedUUID(salt: [1, 2, 3])
    else { return [] }
    return Superblock(parameters: parameters, uuid: uuid).serialized()
  }()

  @Test func roundTrips() throws {
    let superblock = try Superblock(parsing: Self.sound.rawSpan)
    #expect(superblock.serialized() == Self.sound && Self.sound.count == 512)
    #expect(superblock.parameters.dataBlockCount == 7 && superblock.parameters.salt == [1, 2, 3])
    #expect(superblock.parameters.saltText == "010203")
  }

  /// Computed with `printf 'verity-bpf superblock uuid\0\001\002\003' | sha256sum`, then the version and variant bits.
  @Test func derivesTheUUID() throws {
    let uuid = try Superblock.derivedUUID(salt: [1, 2, 3])
    #expect(uuid.description == "f243a43b-1cd2-8880-9da3-9f70fd638a32")
    #expect(try Superblock.derivedUUID(salt: []) != uuid)
  }

  struct Change: Sendable, CustomTestStringConvertible {
    let field: String
    let offset: Int
    let bytes: [UInt8]
    var testDescription: String { "\(field) \(Hex.encode(bytes))" }
    init(_ field: String, _ offset: Int, _ bytes: [UInt8]) {
      (self.field, self.offset, self.bytes) = (field, offset, bytes)
    }
    init(_ field: String, _ offset: Int, name: String) {
      self.init(field, offset, Array(name.utf8) + [UInt8](repeating: 0, count: 32 - name.utf8.count))
    }
  }

  static let changes: [Change] = [
    Change("version", 8, [0]), Change("version", 8, [2]), Change("version", 11, [1]),
    Change("hash type", 12, [2]), Change("hash type", 15, [0x80]),
    Change("hash algorithm", 32, name: "sha256 "), Change("hash algorithm", 32, name: "\u{1b}[31m"),
    Change("hash algorithm", 32, name: ""), Change("hash algorithm", 63, [1]), Change("hash algorithm", 39, [1]),
    Change("hash algorithm", 32, [UInt8](repeating: 0x61, count: 32)),
    Change("data block size", 64, [0, 0, 0, 0]), Change("data block size", 64, [0, 1, 0, 0]),
    Change("data block size", 64, [0xff, 0x0f, 0, 0]), Change("data block size", 64, [0, 0, 0x10, 0]),
    Change("data block size", 64, [0, 0, 0, 0x80]), Change("data block size", 64, [0, 0x18, 0, 0]),
    Change("hash block size", 68, [0, 0, 0, 0]), Change("hash block size", 68, [1, 0x10, 0, 0]),
    Change("hash block size", 68, [0xff, 0xff, 0xff, 0xff]),
    Change("data blocks", 72, [0]), Change("data blocks", 79, [0x80]), Change("data blocks", 79, [0xff]),
    Change("data blocks", 72, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Change("data blocks", 78, [0x08]),
    Change("salt size", 80, [1, 1]), Change("salt size", 80, [0xff, 0xff]),
    Change("padding", 80, [2]), Change("padding", 80, [0]), Change("padding", 82, [1]), Change("padding", 87, [1]),
    Change("padding", 91, [1]), Change("padding", 343, [1]), Change("padding", 344, [1]), Change("padding", 511, [1]),
  ]

  /// What the format allows and this build does not take.
  static let unsupported: [Change] = [
    Change("hash type", 12, [0]), Change("hash algorithm", 32, name: "sha1"), Change("hash algorithm", 32, name: "md5"),
    Change("hash algorithm", 32, name: "sha384"), Change("hash algorithm", 32, name: "SHA256"),
    Change("hash algorithm", 32, name: "sha3-256"), Change("hash algorithm", 32, name: "blake2b-256"),
    Change("data block size", 64, [0, 0, 2, 0]), Change("hash block size", 68, [0, 0, 8, 0]),
  ]

  @Test(arguments: unsupported)
  func namesWhatIsNotSupported(change: Change) throws {
    var bytes = Self.sound
    bytes.replaceSubrange(change.offset..<change.offset + change.bytes.count, with: change.bytes)
    let refusal = #expect(throws: VerityError.self) { try Superblock(parsing: bytes.rawSpan, offset: 28672) }
    let diagnostic = try #require(refusal?.diagnostic)
    #expect(diagnostic.code == "verity.unsupported" && diagnostic.category == .unsupported)
    #expect(diagnostic.message.contains("28672") && diagnostic.message.hasSuffix(change.field))
    // With damage too, it is damaged.
    bytes[511] = 1
    let damaged = #expect(throws: VerityError.self) { try Superblock(parsing: bytes.rawSpan) }
    #expect(damaged?.diagnostic.code == "verity.superblock")
  }

  @Test(arguments: changes)
  func refusesByName(change: Change) throws {
    var bytes = Self.sound
    bytes.replaceSubrange(change.offset..<change.offset + change.bytes.count, with: change.bytes)
    let refusal = #expect(throws: VerityError.self) { try Superblock(parsing: bytes.rawSpan, offset: 28672) }
    let diagnostic = try #require(refusal?.diagnostic)
    #expect(diagnostic.code == "verity.superblock" && diagnostic.category == .integrity)
    #expect(diagnostic.message.contains("28672") && diagnostic.message.hasSuffix(change.field))
    #expect(diagnostic.expected != nil && diagnostic.next != nil)
    // A hostile superblock does not write to the terminal.
    let isPrintable = diagnostic.found?.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    #expect(isPrintable == true)
  }

  @Test func refusesWhatIsNoSuperblock() {
    #expect(throws: VerityError.noSuperblock(offset: 9)) {
      try Superblock(parsing: [UInt8](repeating: 0, count: 512).rawSpan, offset: 9)
    }
    #expect(throws: VerityError.truncated(.superblock, expected: 512, actual: 511)) {
      try Superblock(parsing: Array(Self.sound.dropLast()).rawSpan)
    }
    let nothing: [UInt8] = []
    #expect(throws: VerityError.truncated(.superblock, expected: 512, actual: 0)) {
      try Superblock(parsing: nothing.rawSpan)
    }
  }

  /// Random damage of a whole superblock: an answer each time, and what is accepted writes back the same bytes.
  @Test func survivesAnything() {
    var generator = SeededGenerator(5)
    var accepted = 0
    for trial in 0..<2000 {
      var bytes = Self.sound
      if trial.isMultiple(of: 3) {
        bytes = Array(bytes.prefix(8)) + generator.bytes(504)
      } else {
        for _ in 0...(trial % 5) {
          bytes[Int.random(in: 0..<512, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
      }
      guard let superblock = try? Superblock(parsing: bytes.rawSpan) else { continue }
      accepted += 1
      #expect(superblock.serialized() == bytes)
      // Sizes at the edge of what fits still have a geometry or a refusal.
      _ = try? VerityLayout(superblock: superblock, placement: .separate, superblockOffset: 0)
    }
    #expect(accepted > 0 && accepted < 2000)
  }

  @Test func geometryHoldsAtTheLimits() throws {
    for (dataBlock, hashBlock) in [(512, 512), (65536, 512), (512, 65536), (65536, 65536), (4096, 4096)] {
      for algorithm in VerityParameters.algorithms {
        let most = VerityParameters.maximumByteCount / UInt64(dataBlock)
        for count in [1, 2, most / 2, most] {
          let parameters = try VerityParameters(
            algorithm: algorithm, dataBlockSize: dataBlock, hashBlockSize: hashBlock, dataBlockCount: count)
          let geometry = try? TreeGeometry(parameters)
          guard let geometry else { continue }
          #expect(geometry.levels.isEmpty == (count == 1))
          #expect(geometry.levels.last?.blockCount ?? 1 == 1)
          #expect(geometry.levels.reduce(0) { $0 + $1.blockCount } == geometry.blockCount)
          #expect(geometry.levels.count <= 63)
        }
        #expect(throws: VerityError.self) {
          try VerityParameters(
            algorithm: algorithm, dataBlockSize: dataBlock, hashBlockSize: hashBlock, dataBlockCount: most + 1)
        }
      }
    }
  }
}
