internal import KernelABI
internal import Base

/// Writes down values as their types have them in memory.
struct VariableValue {
  let btf: BTF
  /// What gets the value, for messages.
  let place: String
  /// Bytes that there are for it.
  let available: Int

  /// The bytes of a value.
  ///
  /// Numbers are decimal or `0x…`, with a `-` where the type has a sign; booleans `true`, `false`, `1`, `0`; enumerations go by
  /// their enumerators too, and single bytes by a character: `'x'`. An array of single bytes takes a text, which ends in a
  /// NUL, and every array a list: `[1,2]`, where what is not named is zero, as in C.
  ///
  /// - Throws: ``BPFObjectError`` with the check `variableValue` or `variableType`.
  func bytes(of text: String, as id: UInt32) throws(BPFObjectError) -> [UInt8] {
    guard text.utf8.count <= Limits.variableText else {
      throw BPFObjectError(
        .variableValue, "the value of `\(place)` is too long", expected: "at most \(Limits.variableText) bytes",
        found: "\(text.utf8.count) bytes")
    }
    return try bytes(of: Array(text.utf8)[...], as: id, depth: 0)
  }

  private func bytes(of text: ArraySlice<UInt8>, as id: UInt32, depth: Int) throws(BPFObjectError) -> [UInt8] {
    let type = try btf.resolved(id)
    switch type.kind {
    case .int: return try number(text, type, id)
    case .enumeration, .enumeration64: return try enumerator(text, type, id)
    case .array:
      guard depth < Limits.typeDepth else { throw unsettable(id) }
      return try array(text, type, id, depth: depth)
    case .structure, .union:
      throw BPFObjectError(
        .variableType, "`\(place)` is a structure", expected: "a value for one of its members",
        found: try btf.spelling(of: id), next: "set its members one by one: --set \(place).MEMBER=VALUE")
    case .void, .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .functionPrototype, .variable,
      .dataSection, .float, .declarationTag, .typeTag:
      throw unsettable(id)
    }
  }

  private func unsettable(_ id: UInt32) -> BPFObjectError {
    BPFObjectError(
      .variableType, "`\(place)` has a type whose values cannot be written here",
      expected: "a number, a boolean, an enumeration, characters, or an array of these",
      found: (try? btf.spelling(of: id)) ?? "something else")
  }

  private func unfit(_ text: ArraySlice<UInt8>, _ id: UInt32, _ expected: String) -> BPFObjectError {
    let type = (try? btf.spelling(of: id)) ?? "its type"
    return BPFObjectError(
      .variableValue, "`\(place)` cannot have the value `\(String(decoding: text.prefix(64), as: UTF8.self))`",
      expected: expected, found: "a variable of type \(type)", next: "correct the value of --set \(place)=")
  }

  // MARK: Numbers

  private func number(_ text: ArraySlice<UInt8>, _ type: BTFType, _ id: UInt32) throws(BPFObjectError) -> [UInt8] {
    // Encoding, offset in bits, and bits: what is less than its bytes is a bitfield of an old compiler.
    let word = try btf.part.u32(at: type.offset + 12)
    let encoding = word >> 24 & 15
    let size = Int(type.sizeOrType)
    guard [1, 2, 4, 8].contains(size), word >> 16 & 0xff == 0, word & 0xff == UInt32(size * 8) else {
      throw unsettable(id)
    }
    if encoding & BTFIntegerEncoding.boolean.rawValue != 0 {
      switch String(decoding: text, as: UTF8.self) {
      case "true", "1": return Self.littleEndian(1, size)
      case "false", "0": return Self.littleEndian(0, size)
      default: throw unfit(text, id, "true, false, 1 or 0")
      }
    }
    let quote = UInt8(ascii: "'")
    if size == 1, text.count == 3, text.first == quote, text.last == quote { return Array(text.dropFirst().prefix(1)) }
    let isSigned = encoding & BTFIntegerEncoding.signed.rawValue != 0
    return try integer(text, size: size, isSigned: isSigned, id)
  }

  private func integer(
    _ text: ArraySlice<UInt8>, size: Int, isSigned: Bool, _ id: UInt32
  ) throws(BPFObjectError) -> [UInt8] {
    let bits = UInt64(size * 8)
    let largest = isSigned ? UInt64.max >> (65 - bits) : UInt64.max >> (64 - bits)
    let expected = "a number from \(isSigned ? "-\(largest + 1)" : "0") to \(largest)"
    guard let (isNegative, magnitude) = Self.parse(text) else { throw unfit(text, id, expected) }
    guard isNegative ? magnitude <= (isSigned ? largest + 1 : 0) : magnitude <= largest else {
      throw unfit(text, id, expected)
    }
    return Self.littleEndian(isNegative ? 0 &- magnitude : magnitude, size)
  }

  /// Decimal or `0x…`, with or without a `-`.
  private static func parse(_ text: ArraySlice<UInt8>) -> (isNegative: Bool, magnitude: UInt64)? {
    let isNegative = text.first == UInt8(ascii: "-")
    var digits = isNegative ? text.dropFirst() : text
    let isHexadecimal = digits.starts(with: "0x".utf8) || digits.starts(with: "0X".utf8)
    if isHexadecimal { digits = digits.dropFirst(2) }
    // What the standard library takes besides: another sign.
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
      let magnitude = UInt64(String(decoding: digits, as: UTF8.self), radix: isHexadecimal ? 16 : 10)
    else { return nil }
    return (isNegative, magnitude)
  }

  private static func littleEndian(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
  }

  private func enumerator(
    _ text: ArraySlice<UInt8>, _ type: BTFType, _ id: UInt32
  ) throws(BPFObjectError) -> [UInt8] {
    let size = Int(type.sizeOrType)
    guard [1, 2, 4, 8].contains(size) else { throw unsettable(id) }
    var names: [String] = []
    for index in 0..<type.vlen {
      guard let enumerator = try btf.enumerator(index, of: type) else { continue }
      if text.elementsEqual(enumerator.name.utf8) { return Self.littleEndian(enumerator.value, size) }
      if names.count < 16 { names.append(enumerator.name) }
    }
    guard let first = text.first, first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { throw unfit(text, id, "\(names.joined(separator: ", ")), or a number") }
    // kind_flag says of an enumeration that it has a sign.
    return try integer(text, size: size, isSigned: type.flag, id)
  }

  // MARK: Arrays

  private func array(
    _ text: ArraySlice<UInt8>, _ type: BTFType, _ id: UInt32, depth: Int
  ) throws(BPFObjectError) -> [UInt8] {
    let (element, count) = try btf.array(type)
    guard let size = try btf.size(of: element), let total = try btf.size(of: id), count > 0, Int(total) <= available
    else { throw unsettable(id) }
    guard text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]"), text.count > 1 else {
      return try characters(text, element: element, count: Int(count), id)
    }
    var bytes: [UInt8] = []
    let items = Self.items(text.dropFirst().dropLast())
    guard items.count <= Int(count) else { throw unfit(text, id, "at most \(count) elements") }
    for item in items { bytes += try self.bytes(of: item, as: element, depth: depth + 1) }
    guard bytes.count == items.count * Int(size), bytes.count <= Int(total) else { throw unsettable(id) }
    return bytes + [UInt8](repeating: 0, count: Int(total) - bytes.count)
  }

  /// The parts between commas that are in no brackets of their own; none of an empty text.
  private static func items(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var items: [ArraySlice<UInt8>] = []
    var depth = 0
    var start = text.startIndex
    func trimmed(_ range: Range<Int>) -> ArraySlice<UInt8> {
      var item = text[range]
      while item.first == 0x20 { item.removeFirst() }
      while item.last == 0x20 { item.removeLast() }
      return item
    }
    for (index, byte) in zip(text.indices, text) {
      switch byte {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ",") where depth == 0:
        items.append(trimmed(start..<index))
        start = index + 1
      default: break
      }
    }
    if start < text.endIndex || !items.isEmpty { items.append(trimmed(start..<text.endIndex)) }
    return items
  }

  /// A text in an array of single bytes, with the NUL that programs look for.
  private func characters(
    _ text: ArraySlice<UInt8>, element: UInt32, count: Int, _ id: UInt32
  ) throws(BPFObjectError) -> [UInt8] {
    let type = try btf.resolved(element)
    guard type.kind == .int, type.sizeOrType == 1,
      try btf.part.u32(at: type.offset + 12) >> 24 & BTFIntegerEncoding.boolean.rawValue == 0
    else { throw unfit(text, id, "a list such as [1,2], of at most \(count) elements") }
    let quote = UInt8(ascii: "\"")
    let isQuoted = text.count > 1 && text.first == quote && text.last == quote
    let characters = isQuoted ? text.dropFirst().dropLast() : text
    guard characters.count < count, !characters.contains(0) else {
      throw unfit(text, id, "a text of at most \(count - 1) bytes, which a NUL follows, or a list such as [1,2]")
    }
    return characters + [UInt8](repeating: 0, count: count - characters.count)
  }
}
