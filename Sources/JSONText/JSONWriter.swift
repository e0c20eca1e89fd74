extension JSONValue {
  /// The document on one line, without a line feed at its end (RFC 8259).
  public var compact: String {
    var text = ""
    write(to: &text, indent: nil)
    return text
  }

  /// The document with two spaces a level, for people and for files that are reviewed.
  public var pretty: String {
    var text = ""
    write(to: &text, indent: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let digits): text += digits
    case .string(let value): Self.writeString(value, to: &text)
    case .array(let elements):
      Self.writeList("[", "]", count: elements.count, to: &text, indent: indent) { index, text, inner in
        elements[index].write(to: &text, indent: inner)
      }
    case .object(let members):
      Self.writeList("{", "}", count: members.count, to: &text, indent: indent) { index, text, inner in
        Self.writeString(members[index].name, to: &text)
        text += inner == nil ? ":" : ": "
        members[index].value.write(to: &text, indent: inner)
      }
    }
  }

  private static func writeList(
    _ open: String, _ close: String, count: Int, to text: inout String, indent: Int?,
    element: (Int, inout String, Int?) -> Void
  ) {
    text += open
    let inner = indent.map { $0 + 1 }
    for index in 0..<count {
      if index > 0 { text += "," }
      if let inner { text += "\n" + String(repeating: "  ", count: inner) }
      element(index, &text, inner)
    }
    if let indent, count > 0 { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  private static func writeString(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
