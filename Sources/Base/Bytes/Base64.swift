/// Base64 with `+`, `/` and padding (RFC 4648, section 4).
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The bytes as text, without line feeds.
  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      word <<= UInt32(8 * (3 - group.count))
      for index in 0..<4 {
        text.append(index <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that a text stands for; nil unless it is exactly what ``encode(_:)`` gives for them, line feeds apart.
  public static func decode(_ text: String) -> [UInt8]? {
    let characters = text.utf8.filter { $0 != 0x0a }
    guard characters.count.isMultiple(of: 4) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    for start in stride(from: 0, to: characters.count, by: 4) {
      let group = characters[start..<start + 4]
      let digits = group.prefix { $0 != UInt8(ascii: "=") }
      // Padding stands at the very end, one or two characters of it.
      guard digits.count == 4 || digits.count >= 2 && start + 4 == characters.count,
        group.dropFirst(digits.count).allSatisfy({ $0 == UInt8(ascii: "=") })
      else { return nil }
      var word: UInt32 = 0
      for digit in digits {
        guard let value = value(of: digit) else { return nil }
        word = word << 6 | value
      }
      word <<= UInt32(6 * (4 - digits.count))
      let count = digits.count - 1
      // Bits that stand for nothing are zero, so that one text stands for one value.
      guard word & (0xff_ffff >> UInt32(8 * count)) == 0 else { return nil }
      for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(16 - 8 * index))) }
    }
    return bytes
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
