import Base
import Testing

@Suite struct HexTests {
  @Test func roundTrip() {
    let bytes = (0...255).map { UInt8($0) }
    #expect(Hex.decode(Hex.encode(bytes)) == bytes)
    #expect(Hex.encode([0x00, 0xab, 0xff]) == "00abff")
    #expect(Hex.decode("00ABff") == [0x00, 0xab, 0xff])
  }

  @Test(arguments: ["0", "0g", "zz", "00 1", "é0"])
  func refusesWhatIsNotHex(text: String) {
    #expect(Hex.decode(text) == nil)
  }
}

@Suite struct DigestTests {
  @Test func readsAndWritesBothForms() throws {
    let hex = String(repeating: "ab", count: 32)
    let digest = try #require(Digest("sha256:\(hex)"))
    #expect(digest.description == "sha256:\(hex)")
    #expect(digest == Digest(.sha256, hex: hex.uppercased()))
    #expect(Digest("sha256:abcd") == nil)
    #expect(Digest("md5:\(hex)") == nil)
    #expect(Digest(hex) == nil)
  }
}

@Suite struct ReadingTests {
  @Test func readsLittleEndianAtAnyAlignment() throws {
    let bytes: [UInt8] = [0xff, 1, 2, 3, 4, 5, 6, 7, 8]
    let span = bytes.span.bytes
    #expect(try span.u16(at: 1) == 0x0201)
    #expect(try span.u32(at: 1) == 0x0403_0201)
    #expect(try span.u64(at: 1) == 0x0807_0605_0403_0201)
  }

  @Test(arguments: [-1, 2, 3, Int.max, Int.min])
  func refusesReadsOutside(offset: Int) {
    let bytes: [UInt8] = [1, 2, 3, 4]
    #expect(throws: ByteError.self) { try bytes.span.bytes.u32(at: offset == 2 ? 1 : offset) }
  }

  @Test func stringsNeedTheirTerminator() throws {
    let bytes: [UInt8] = [0x61, 0x62, 0, 0x63]
    let span = bytes.span.bytes
    #expect(try span.cString(at: 0) == "ab")
    #expect(try span.cString(at: 3) == nil)
    #expect(throws: ByteError.self) { try span.cString(at: 4) }
  }

  @Test func writesWhatItReads() throws {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(0xdead_beef))
    bytes.storeLittleEndian(UInt16(0x1234), at: 1)
    #expect(bytes == [0xef, 0x34, 0x12, 0xde])
  }
}
