/// Hexadecimal text, as root hashes, salts and digests are written.
public enum Hex {
  /// Two lower-case digits a byte.
  public static func encode(_ bytes: borrowing RawSpan) -> String {
    encode(bytes.copyBytes())
  }

  /// Two lower-case digits a byte.
  public static func encode(_ bytes: [UInt8]) -> String {
    func digit(_ value: UInt8) -> UInt8 {
      value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
    return unsafe String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      for index in bytes.indices {
        unsafe text[2 * index] = digit(bytes[index] >> 4)
        unsafe text[2 * index + 1] = digit(bytes[index] & 15)
      }
      return bytes.count * 2
    }
  }

  /// The bytes that `text` spells in digits of either case, or nil when a character is no digit or their number is odd.
  public static func decode(_ text: String) -> [UInt8]? { decode(digits: text.utf8) }

  /// The same for a part of a string. (Not one generic function: at its first call a process would look for the
  /// conformances it needs among all of the program's, which takes longer than reading an object.)
  public static func decode(_ text: Substring) -> [UInt8]? { decode(digits: text.utf8) }

  /// The same for digits in bytes that need not be text. Inlinable: policies have hundreds of thousands of digits, and
  /// the generic code takes twenty times as long for each.
  @inlinable
  public static func decode(digits: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      guard let value = value(of: digit) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? bytes : nil
  }

  /// The value of one digit of either case; nil when it is none.
  @inlinable
  public static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
