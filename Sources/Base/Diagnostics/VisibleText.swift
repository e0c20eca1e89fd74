extension Unicode.Scalar {
  /// Whether a terminal would act on the character instead of showing it: C0 and C1 controls, DEL, and the controls
  /// for the direction of text, which can make a line read differently from what it says.
  public var isTerminalControl: Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}

extension String {
  private var isPlain: Bool {
    let bytes = utf8.span
    for index in bytes.indices {
      let byte = bytes[index]
      guard 0x20..<0x7f ~= byte || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") else { return false }
    }
    return true
  }

  /// The text as it can be shown on a terminal: control characters other than line feed and tab are written `\u{1b}`, and
  /// bytes of a file's name that are no UTF-8 `\xe9`.
  ///
  /// File names and messages can come from a hostile image; what they say must not move a cursor or change a title.
  public var visible: String {
    // Most text is plain ASCII, which is soon seen.
    if isPlain { return self }
    guard
      unicodeScalars.contains(where: {
        $0.isTerminalControl && $0 != "\n" && $0 != "\t" || $0.undecodedByte != nil
      })
    else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if let byte = scalar.undecodedByte {
        text += "\\x\(String(byte, radix: 16))"
      } else if scalar.isTerminalControl, scalar != "\n", scalar != "\t" {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
  /// The same, for what is to stay on one line: a name with a line break in it must not look like a line of its own.
  public var visibleLine: String {
    guard utf8.contains(UInt8(ascii: "\n")) else { return visible }
    var text = ""
    for scalar in visible.unicodeScalars {
      if scalar == "\n" { text += "\\n" } else { text.unicodeScalars.append(scalar) }
    }
    return text
  }
}
