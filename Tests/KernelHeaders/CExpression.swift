/// A word, number or mark of a C header.
enum CToken: Hashable, Sendable {
  case word(String)
  case number(Int64)
  /// One character, or `<<`.
  case mark(String)

  static func tokens(of line: [UInt8]) -> [CToken] {
    var tokens: [CToken] = []
    var index = 0
    while index < line.count {
      let byte = line[index]
      if isWordByte(byte) {
        let end = line[index...].firstIndex { !isWordByte($0) } ?? line.count
        let text = String(decoding: line[index..<end], as: UTF8.self)
        tokens.append(number(text).map { .number($0) } ?? .word(text))
        index = end
      } else if byte == UInt8(ascii: "<"), index + 1 < line.count, line[index + 1] == byte {
        tokens.append(.mark("<<"))
        index += 2
      } else {
        if byte > UInt8(ascii: " ") { tokens.append(.mark(String(UnicodeScalar(byte)))) }
        index += 1
      }
    }
    return tokens
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Decimal, hexadecimal or octal, with the suffixes that C has.
  private static func number(_ text: String) -> Int64? {
    guard let first = text.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    var digits = text.lowercased()[...]
    while digits.hasSuffix("u") || digits.hasSuffix("l") { digits = digits.dropLast() }
    if digits.hasPrefix("0x") { return UInt64(digits.dropFirst(2), radix: 16).map { Int64(bitPattern: $0) } }
    if digits.hasPrefix("0"), digits.count > 1 { return Int64(digits, radix: 8) }
    return Int64(digits)
  }
}

/// The value of what a header writes behind a name: terms joined by `|`, `+`, `-` or `<<`, from the left to the right.
enum CExpression {
  /// - Returns: nil for what is not such an expression, or has a name without a number.
  static func value(_ tokens: ArraySlice<CToken>, names: [String: Int64]) -> Int64? {
    var rest = tokens
    guard let value = expression(&rest, names), rest.isEmpty else { return nil }
    return value
  }

  private static func expression(_ rest: inout ArraySlice<CToken>, _ names: [String: Int64]) -> Int64? {
    guard var value = term(&rest, names) else { return nil }
    while case .mark(let mark)? = rest.first, ["|", "+", "-", "<<"].contains(mark) {
      rest = rest.dropFirst()
      guard let next = term(&rest, names) else { return nil }
      switch mark {
      case "|": value |= next
      case "+": value &+= next
      case "-": value &-= next
      default: value <<= next
      }
    }
    return value
  }

  private static func term(_ rest: inout ArraySlice<CToken>, _ names: [String: Int64]) -> Int64? {
    guard let first = rest.popFirst() else { return nil }
    switch first {
    case .number(let value): return value
    case .word(let name): return names[name]
    case .mark("-"): return term(&rest, names).map { 0 &- $0 }
    case .mark("("):
      guard let value = expression(&rest, names), rest.popFirst() == .mark(")") else { return nil }
      return value
    case .mark: return nil
    }
  }
}
