import Base
import ImageFormat
import Testing

@Suite struct RootHashFileTests {
  static let digits = String(repeating: "0123456789abcdef", count: 4)

  @Test(arguments: [digits, digits + "\n", digits.uppercased(), digits.uppercased() + "\n"])
  func acceptsAndNormalises(text: String) throws {
    let digest = try RootHashFile.parse(Array(text.utf8))
    #expect(digest.algorithm == .sha256)
    #expect(RootHashFile.text(digest) == Self.digits)
  }

  @Test func tellsTheAlgorithmByTheLength() throws {
    #expect(try RootHashFile.parse(Array((Self.digits + Self.digits).utf8)).algorithm == .sha512)
  }

  @Test(arguments: [
    "", "\n", digits + "\n\n", digits + "\r\n", " " + digits, digits + " ", String(digits.dropLast()),
    String(digits.dropLast(2)), digits + "00", digits.replacing("0", with: "g"), digits + "\0", "0x" + digits,
    "sha256:" + digits, digits + digits + digits, digits.replacing("01", with: "é"), digits + "\n" + digits,
  ])
  func refusesAnythingElse(text: String) {
    #expect(throws: LayoutError.self) { try RootHashFile.parse(Array(text.utf8)) }
  }

  @Test func acceptsTheAlgorithmOnACommandLine() throws {
    #expect(try RootHashFile.parse(argument: "sha256:" + Self.digits).hex == Self.digits)
    #expect(try RootHashFile.parse(argument: Self.digits.uppercased()).hex == Self.digits)
    for text in ["sha512:" + Self.digits, "sha1:" + Self.digits, "sha256:sha256:" + Self.digits, "sha256:"] {
      #expect(throws: LayoutError.self) { try RootHashFile.parse(argument: text) }
    }
  }

  @Test(arguments: [
    ("a.raw", "a.roothash", "a.roothash.p7s", "a.verity"),
    ("/d.raw/a.sysext.raw", "/d.raw/a.sysext.roothash", "/d.raw/a.sysext.roothash.p7s", "/d.raw/a.sysext.verity"),
    ("d/a.img", "d/a.img.roothash", "d/a.img.roothash.p7s", "d/a.img.verity"),
    ("d/.raw", "d/.raw.roothash", "d/.raw.roothash.p7s", "d/.raw.verity"),
    ("a.raw.raw", "a.raw.roothash", "a.raw.roothash.p7s", "a.raw.verity"),
  ])
  func namesSidecars(image: String, rootHash: String, signature: String, hashTree: String) {
    let names = Sidecars(imagePath: image)
    #expect(names.rootHash == rootHash)
    #expect(names.signature == signature)
    #expect(names.hashTree == hashTree)
  }
}
