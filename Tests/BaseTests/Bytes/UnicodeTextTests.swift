import Base
import Testing

/// Texts by their byte order mark, in pieces of any size.
@Suite struct UnicodeTextTests {
  private static func utf8(_ bytes: [UInt8], pieces: Int) -> [UInt8] {
    var reader = UnicodeText()
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      text += reader.utf8(bytes[start..<min(bytes.count, start + pieces)])
    }
    return text + reader.last()
  }

  private static func utf16(_ text: String, isLittleEndian: Bool) -> [UInt8] {
    ([0xfeff] + Array(text.utf16)).flatMap { unit -> [UInt8] in
      let bytes = [UInt8(unit >> 8), UInt8(unit & 255)]
      return isLittleEndian ? bytes.reversed() : bytes
    }
  }

  @Test(arguments: ["", "a", "type=1420\r\n", "ä€😀\u{10ffff}", "\u{feff}x"])
  func eachEncoding(_ text: String) {
    let plain = Array(text.utf8)
    for pieces in 1...7 {
      for isLittleEndian in [true, false] {
        #expect(Self.utf8(Self.utf16(text, isLittleEndian: isLittleEndian), pieces: pieces) == plain)
      }
      #expect(Self.utf8([0xef, 0xbb, 0xbf] + plain, pieces: pieces) == plain)
    }
    guard !text.hasPrefix("\u{feff}") else { return }
    for pieces in 1...7 { #expect(Self.utf8(plain, pieces: pieces) == plain) }
  }

  @Test func whatIsNoMark() {
    for bytes: [UInt8] in [[0xff], [0xfe], [0xef], [0xef, 0xbb], [0xff, 0x61], [0xef, 0xbb, 0x61], [0, 0xff, 0xfe]] {
      for pieces in 1...3 { #expect(Self.utf8(bytes, pieces: pieces) == bytes) }
    }
  }

  /// Half of a character, in the text or at its end, becomes U+FFFD.
  @Test func brokenText() {
    let replacement: [UInt8] = [0xef, 0xbf, 0xbd]
    for pieces in 1...5 {
      #expect(Self.utf8([0xfe, 0xff, 0xd8, 0x3d, 0x00, 0x61], pieces: pieces) == replacement + [0x61])
      #expect(Self.utf8([0xfe, 0xff, 0xde, 0x00, 0x00, 0x61], pieces: pieces) == replacement + [0x61])
      #expect(Self.utf8([0xfe, 0xff, 0xd8, 0x3d], pieces: pieces) == replacement)
      #expect(Self.utf8([0xfe, 0xff, 0x00], pieces: pieces) == replacement)
      #expect(
        Self.utf8([0xfe, 0xff, 0xd8, 0x3d, 0xd8, 0x3d, 0xde, 0x00], pieces: pieces) == replacement + Array("😀".utf8))
    }
  }
}
