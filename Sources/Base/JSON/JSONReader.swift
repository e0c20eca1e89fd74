/// What a document may cost its reader.
public struct JSONLimits: Equatable, Sendable {
  /// Bytes of text.
  public var bytes: Int
  /// Arrays and objects inside one another. Values above 256 count as 256, so that no document can exhaust the stack.
  public var depth: Int
  /// Values in all, members' values included.
  public var values: Int

  public init(bytes: Int = 16 << 20, depth: Int = 64, values: Int = 1 << 20) {
    self.bytes = bytes
    self.depth = depth
    self.values = values
  }
}

extension JSONValue {
  /// Reads exactly one document, as strictly as RFC 8259 allows.
  ///
  /// Refused besides malformed text: a byte order mark, bytes that are not UTF-8, lone surrogates, two members of one
  /// name in an object (names are compared as Swift compares strings, so canonically equivalent names are duplicates
  /// too), and whatever follows the document other than white space. An integer outside `Int64`, `-0`, and any number
  /// with a fraction or exponent are kept as their text in ``number(_:)``.
  public static func parse(
    _ bytes: borrowing RawSpan, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes, limits: limits)
    return try reader.document()
  }

  /// Reads exactly one document; see ``parse(_:limits:)-(RawSpan,_)``.
  public static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
    try parse(bytes.rawSpan, limits: limits)
  }
}

/// A cursor over the text.
struct JSONReader: ~Escapable {
  private let bytes: RawSpan
  private let limits: JSONLimits
  private var offset = 0
  private var valuesLeft: Int

  @_lifetime(copy bytes)
  init(_ bytes: borrowing RawSpan, limits: JSONLimits) {
    self.bytes = copy bytes
    self.limits = limits
    valuesLeft = limits.values
  }

  @_lifetime(self: copy self)
  mutating func document() throws(JSONError) -> JSONValue {
    guard bytes.byteCount <= limits.bytes else { throw error(.tooLarge(limit: "\(limits.bytes) bytes")) }
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard peek() == nil else { throw error(.trailingBytes) }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard valuesLeft > 0 else { throw error(.tooLarge(limit: "\(limits.values) values")) }
    valuesLeft -= 1
    switch peek() {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"): return try number()
    case .some(let byte) where isDigit(byte): return try number()
    default: throw unexpected("a value")
    }
  }

  @_lifetime(self: copy self)
  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    try enter(depth)
    if accept("]") { return .array([]) }
    var elements: [JSONValue] = []
    elements.reserveCapacity(4)
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if accept("]") { return .array(elements) }
      try require(",", or: "`,` or `]`")
    }
  }

  @_lifetime(self: copy self)
  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    try enter(depth)
    if accept("}") { return .object([]) }
    var members: [JSONValue.Member] = []
    members.reserveCapacity(8)
    // Hashing a name takes longer than comparing it with a few others.
    var names: Set<String> = []
    while true {
      let start = offset
      guard peek() == UInt8(ascii: "\"") else { throw unexpected("a member's name") }
      let name = try string()
      if members.count == Self.fewMembers { names.formUnion(members.map(\.name)) }
      let isNew =
        members.count < Self.fewMembers ? !members.contains { $0.name == name } : names.insert(name).inserted
      guard isNew else { throw error(.duplicateName(name), at: start) }
      skipSpace()
      try require(":", or: "`:`")
      members.append(JSONValue.Member(name, try value(depth: depth + 1)))
      skipSpace()
      if accept("}") { return .object(members) }
      try require(",", or: "`,` or `}`")
    }
  }

  private static let fewMembers = 12

  /// Steps over the opening bracket.
  @_lifetime(self: copy self)
  private mutating func enter(_ depth: Int) throws(JSONError) {
    let limit = min(limits.depth, 256)
    guard depth < limit else { throw error(.tooLarge(limit: "\(limit) levels")) }
    offset += 1
    skipSpace()
  }

  @_lifetime(self: copy self)
  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for expected in text.description.utf8 {
      guard peek() == expected else { throw unexpected("`\(text)`") }
      offset += 1
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    var isInteger = true
    if peek() == UInt8(ascii: "-") { offset += 1 }
    if peek() == UInt8(ascii: "0") {
      offset += 1
      if isDigit(peek()) { throw error(.malformedNumber, at: start) }
    } else {
      guard skipDigits() else { throw error(.malformedNumber, at: start) }
    }
    if peek() == UInt8(ascii: ".") {
      isInteger = false
      offset += 1
      guard skipDigits() else { throw error(.malformedNumber, at: start) }
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      isInteger = false
      offset += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { offset += 1 }
      guard skipDigits() else { throw error(.malformedNumber, at: start) }
    }
    if isInteger, let integer = smallNumber(start..<offset) { return .integer(integer) }
    let text = String(decoding: bytes.extracting(start..<offset).copyBytes(), as: UTF8.self)
    if isInteger, text != "-0", let integer = Int64(text) { return .integer(integer) }
    return .number(text)
  }

  /// What digits say when they are too few to leave `Int64`; nearly all numbers are such.
  private func smallNumber(_ digits: Range<Int>) -> Int64? {
    guard digits.count <= 18 else { return nil }
    var number: Int64 = 0
    for place in digits {
      guard let byte = try? bytes.u8(at: place), isDigit(byte) else { return nil }
      number = number * 10 + Int64(byte & 15)
    }
    return number
  }

  @_lifetime(self: copy self)
  private mutating func string() throws(JSONError) -> String {
    let start = offset
    offset += 1
    if let text = try plainString() { return text }
    var content: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        guard let text = String(validating: content, as: UTF8.self) else { throw error(.notUTF8, at: start) }
        return text
      case UInt8(ascii: "\\"):
        content.append(contentsOf: try escape())
      case 0..<0x20:
        throw error(.controlCharacter(byte))
      default:
        content.append(byte)
        offset += 1
      }
    }
    throw error(.unexpectedEnd(expected: "the string's closing quote"))
  }

  /// The rest of a string, when nothing in it is written as an escape; otherwise nil, and the cursor stays.
  @_lifetime(self: copy self)
  private mutating func plainString() throws(JSONError) -> String? {
    var end = offset
    while let byte = byte(at: end), byte >= 0x20, byte != UInt8(ascii: "\\") {
      guard byte == UInt8(ascii: "\"") else {
        end += 1
        continue
      }
      guard let text = bytes.extracting(offset..<end).utf8Text else { throw error(.notUTF8, at: offset - 1) }
      offset = end + 1
      return text
    }
    return nil
  }

  /// The UTF-8 bytes that an escape stands for; the cursor is at its backslash.
  @_lifetime(self: copy self)
  private mutating func escape() throws(JSONError) -> [UInt8] {
    let start = offset
    offset += 1
    let plain: UInt8
    switch peek() {
    case UInt8(ascii: "\""): plain = UInt8(ascii: "\"")
    case UInt8(ascii: "\\"): plain = UInt8(ascii: "\\")
    case UInt8(ascii: "/"): plain = UInt8(ascii: "/")
    case UInt8(ascii: "b"): plain = 0x08
    case UInt8(ascii: "f"): plain = 0x0c
    case UInt8(ascii: "n"): plain = 0x0a
    case UInt8(ascii: "r"): plain = 0x0d
    case UInt8(ascii: "t"): plain = 0x09
    case UInt8(ascii: "u"):
      var scalar = try codeUnit()
      if 0xd800..<0xdc00 ~= scalar {
        // The other half must follow as an escape of its own.
        guard peek() == UInt8(ascii: "\\") else { throw error(.loneSurrogate, at: start) }
        offset += 1
        guard peek() == UInt8(ascii: "u") else { throw error(.loneSurrogate, at: start) }
        let low = try codeUnit()
        guard 0xdc00..<0xe000 ~= low else { throw error(.loneSurrogate, at: start) }
        scalar = 0x10000 + ((scalar - 0xd800) << 10 | (low - 0xdc00))
      }
      guard let character = Unicode.Scalar(scalar) else { throw error(.loneSurrogate, at: start) }
      return Array(String(Character(character)).utf8)
    default: throw unexpected("an escape character")
    }
    offset += 1
    return [plain]
  }

  /// The number that the four digits after `u` spell; the cursor is at the `u`.
  @_lifetime(self: copy self)
  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    offset += 1
    var unit: UInt32 = 0
    for _ in 0..<4 {
      switch peek() {
      case .some(let digit) where isDigit(digit): unit = unit << 4 | UInt32(digit - UInt8(ascii: "0"))
      case .some(let digit) where UInt8(ascii: "a")...UInt8(ascii: "f") ~= digit | 0x20:
        unit = unit << 4 | UInt32((digit | 0x20) - UInt8(ascii: "a") + 10)
      default: throw unexpected("a hexadecimal digit")
      }
      offset += 1
    }
    return unit
  }

  /// The byte under the cursor. Asked several times for each byte of a text: without the typed error that
  /// `RawSpan.u8(at:)` makes for the end, a string takes half the time.
  @inline(__always)
  private func peek() -> UInt8? { byte(at: offset) }

  @inline(__always)
  private func byte(at place: Int) -> UInt8? {
    guard place < bytes.byteCount else { return nil }
    return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)  // the cursor only moves forward
  }

  private func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  /// Whether there was at least one digit.
  @_lifetime(self: copy self)
  private mutating func skipDigits() -> Bool {
    let start = offset
    while isDigit(peek()) { offset += 1 }
    return offset > start
  }

  @_lifetime(self: copy self)
  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
  }

  @_lifetime(self: copy self)
  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  @_lifetime(self: copy self)
  private mutating func require(_ character: Unicode.Scalar, or expected: String) throws(JSONError) {
    guard accept(character) else { throw unexpected(expected) }
    skipSpace()
  }

  private func unexpected(_ expected: String) -> JSONError {
    guard let byte = peek() else { return error(.unexpectedEnd(expected: expected)) }
    return error(.unexpected(byte: byte, expected: expected))
  }

  private func error(_ reason: JSONError.Reason, at position: Int? = nil) -> JSONError {
    let place = position ?? offset
    var line = 1
    var lineStart = 0
    for index in 0..<min(place, bytes.byteCount) where (try? bytes.u8(at: index)) == 0x0a {
      line += 1
      lineStart = index + 1
    }
    return JSONError(reason: reason, offset: place, line: line, column: place - lineStart + 1)
  }
}
