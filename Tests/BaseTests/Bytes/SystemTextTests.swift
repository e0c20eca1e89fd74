import Base
import Testing

/// Names that are no UTF-8 are texts all the same, and come back as they were.
struct SystemTextTests {
  static let names: [[UInt8]] = [
    [], Array("plain".utf8), Array("caf\u{e9} \u{1f600}".utf8), [0x69, 0x6d, 0xe9], [0xff], [0x80, 0xbf], [0xc3],
    [0xc3, 0x28], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf],
    // Characters that stand for bytes themselves.
    Array("\u{10ffe9}".utf8), Array("a\u{10ff80}b".utf8), [0xe9] + Array("\u{10ffe9}".utf8),
    // Neighbours of those.
    Array("\u{10ff7f}\u{10feff}".utf8),
  ]

  @Test(arguments: names)
  func comeBack(name: [UInt8]) {
    let text = String(systemBytes: name)
    #expect(text.systemBytes == name)
    let isPlain = String(validating: name, as: UTF8.self).map { !$0.unicodeScalars.contains { $0.value >= 0x10_ff80 } }
    #expect(text.hasUndecodedBytes == (isPlain != true))
    #expect(String(systemBytes: (text + "/x").systemBytes) == text + "/x")
    text.withSystemPath { pointer in
      #expect((0..<name.count).map { UInt8(bitPattern: pointer[$0]) } == name && pointer[name.count] == 0)
    }
  }

  @Test func anyBytesComeBack() {
    for _ in 0..<2000 {
      let name = (0..<Int.random(in: 0...12)).map { _ in
        UInt8.random(in: 1...255) | (Bool.random() ? 0x80 : 0)
      }
      #expect(String(systemBytes: name).systemBytes == name)
    }
  }

  /// Two names are never one text.
  @Test func differ() {
    let texts = Self.names.map { Array(String(systemBytes: $0).utf8) }
    #expect(Set(texts).count == Self.names.count)
  }

  @Test func areShown() {
    #expect(String(systemBytes: [0x69, 0x6d, 0xe9, 0x0a]).visibleLine == "im\\xe9\\n")
    #expect("caf\u{e9}".visible == "caf\u{e9}")
  }
}
