extension JSONValue {
  /// The document on one line, without a line feed at its end (RFC 8259).
  public var compact: String { String(decoding: compactUTF8, as: UTF8.self) }

  /// ``compact`` as bytes.
  public var compactUTF8: [UInt8] { utf8(indent: nil) }

  /// The document with two spaces a level, for people and for files that are reviewed.
  public var pretty: String { String(decoding: prettyUTF8, as: UTF8.self) }

  /// ``pretty`` as bytes.
  public var prettyUTF8: [UInt8] { utf8(indent: 0) }

  /// ``prettyUTF8`` as it is so many levels deep in a document.
  public func prettyUTF8(level: Int) -> [UInt8] { utf8(indent: level) }

  private func utf8(indent: Int?) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(1024)
    write(to: &text, indent: indent)
    return text
  }

  private func write(to text: inout [UInt8], indent: Int?) {
    switch self {
    case .null: text += "null".utf8
    case .bool(let value): text += (value ? "true" : "false").utf8
    case .integer(let value): text += String(value).utf8
    case .number(let digits): text += digits.utf8
    case .string(let value): Self.writeString(value, to: &text)
    case .array(let elements):
      Self.writeList("[", "]", count: elements.count, to: &text, indent: indent) { index, text, inner in
        elements[index].write(to: &text, indent: inner)
      }
    case .object(let members):
      Self.writeList("{", "}", count: members.count, to: &text, indent: indent) { index, text, inner in
        Self.writeString(members[index].name, to: &text)
        text.append(UInt8(ascii: ":"))
        if inner != nil { text.append(UInt8(ascii: " ")) }
        members[index].value.write(to: &text, indent: inner)
      }
    }
  }

  private static func writeList(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, count: Int, to text: inout [UInt8], indent: Int?,
    element: (Int, inout [UInt8], Int?) -> Void
  ) {
    text.append(UInt8(ascii: open))
    let inner = indent.map { $0 + 1 }
    for index in 0..<count {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      if let inner { newLine(inner, to: &text) }
      element(index, &text, inner)
    }
    if let indent, count > 0 { newLine(indent, to: &text) }
    text.append(UInt8(ascii: close))
  }

  private static func newLine(_ level: Int, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\n"))
    for _ in 0..<level * 2 { text.append(UInt8(ascii: " ")) }
  }

  private static func writeString(_ value: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    defer { text.append(UInt8(ascii: "\"")) }
    // Nearly all text is of characters that stand for themselves.
    let bytes = value.utf8.span
    if isPlain(bytes) { return unsafe text.append(copying: bytes.bytes) }
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\"".utf8
      case "\\": text += "\\\\".utf8
      case "\n": text += "\\n".utf8
      case "\r": text += "\\r".utf8
      case "\t": text += "\\t".utf8
      case _ where scalar.isASCII && !scalar.isTerminalControl: text.append(UInt8(truncatingIfNeeded: scalar.value))
      case _ where scalar.isTerminalControl:
        // Some of them need no escape in JSON, but the text may be shown on a terminal. All are below U+10000.
        let digits = String(scalar.value, radix: 16)
        text += "\\u".utf8
        text += repeatElement(UInt8(ascii: "0"), count: max(0, 4 - digits.utf8.count))
        text += digits.utf8
      default: text += String(scalar).utf8
      }
    }
  }

  /// Whether there is nothing but printable ASCII characters that stand for themselves. A span is walked several times
  /// as fast as the string's bytes.
  private static func isPlain(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices {
      let byte = bytes[index]
      guard 0x20..<0x7f ~= byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
    }
    return true
  }
}
