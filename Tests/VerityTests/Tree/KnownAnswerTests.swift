import Base
import TestSupport
import Testing
import Verity

/// Root hashes that other projects hold their own implementations against.
@Suite struct KnownAnswerTests {
  private static let salt = Hex.decode("e48da609055204e89ae53b655ca2216dd983cf3cb829f34f63a297d106d53e2d") ?? []

  /// cryptsetup's tests/verity-compat-test: 8 MiB of zeros. The three of hash type 0 and of sha1 are below.
  @Test(arguments: [
    (512, "9de18652fe74edfb9b805aaed72ae2aa48f94333f1ba5c452ac33b1c39325174", true),
    (1024, "54d92778750495d1f80832b486ebd007617d746271511bbf0e295e143da2b3df", true),
    (4096, "e522df0f97da4febb882ac40f30b37dc0b444bf6df418929463fa25280f09d5c", true),
    (4096, "ef29c902d87350f1da4bfa536e16cebc162a909bf89abe448b81ec500d4fb9bf", false),
  ])
  func cryptsetup(blockSize: Int, rootHash: String, isSalted: Bool) throws {
    let image = try MemoryImage.build(
      data: [UInt8](repeating: 0, count: 8 << 20), dataBlockSize: blockSize, hashBlockSize: blockSize,
      salt: isSalted ? Self.salt : [])
    #expect(image.rootHash.hex == rootHash)
  }

  /// What veritysetup's other three are made with is refused by the name of the field.
  @Test(
    .enabled(if: VeritySetup.isInstalled(), "veritysetup is not installed"),
    arguments: [
      (4096, "0", "sha256", "cbbf4ebd004ef65e29b935bb635a39cf754d677f3fa10b0126da725bbdf10f7d", "hash type"),
      (1024, "1", "sha1", "d0e9163ca8844aaa2e88fe5265a8c5d9ee494a99", "hash algorithm"),
      (1024, "1", "sha1", "73509e8e868be6b8ac939817a98a3d35121413b2", "hash algorithm"),
    ])
  func cryptsetupRefused(
    blockSize: Int, format: String, algorithm: String, rootHash: String, field: String
  ) throws {
    let scratch = try TemporaryDirectory()
    let data = try scratch.write("data", [UInt8](repeating: 0, count: 8 << 20))
    let salt = rootHash.hasPrefix("73") ? "dadada" : Hex.encode(Self.salt)
    let made = try VeritySetup.run([
      "format", data, scratch.file("hashes"), "--format=\(format)", "--hash=\(algorithm)", "--salt=\(salt)",
      "--data-block-size=\(blockSize)", "--hash-block-size=\(blockSize)",
    ])
    try #require(made.status == 0 && made.text.contains(rootHash), "\(made.text)")
    let hashes = ArraySource(try scratch.read("hashes"))
    let error = #expect(throws: VerityError.self) {
      try VerityLayout.read(data: ArraySource([UInt8](repeating: 0, count: 8 << 20)), hashes: hashes)
    }
    #expect(error?.diagnostic.code == "verity.unsupported" && error?.diagnostic.message.hasSuffix(field) == true)
  }

  /// Android Verified Boot's avbtool test AddHashtreeFooter: 5 MiB that count from 0 to 255.
  @Test func androidVerifiedBoot() throws {
    let data = (0..<5 << 20).map { UInt8(truncatingIfNeeded: $0) }
    let image = try MemoryImage.build(data: data, salt: [0xd0, 0x0d, 0xf0, 0x0d])
    #expect(image.layout.parameters.dataBlockCount == 1280)
    #expect(image.rootHash.hex == "d0e31526f5a3f8e3f59acf726bd31ae7861ee78f9baa9195356bf479c6f9119d")
    #expect(throws: VerityError.self) { try VerityParameters(algorithm: .sha384, dataBlockCount: 1280) }
  }
}
