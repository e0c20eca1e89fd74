/// Why some bytes are not one acceptable JSON document, and where.
public struct JSONError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Reason: Equatable, Sendable {
    /// The document ends inside a value; the text says what had to follow.
    case unexpectedEnd(expected: String)
    /// Another byte stands where `expected` had to stand.
    case unexpected(byte: UInt8, expected: String)
    /// A number outside the grammar of RFC 8259 section 6: a leading zero, a lone minus, a fraction without digits.
    case malformedNumber
    /// A string holds bytes that are not UTF-8.
    case notUTF8
    /// A `\u` escape names half of a surrogate pair.
    case loneSurrogate
    /// A character below U+0020 stands unescaped in a string.
    case controlCharacter(UInt8)
    /// An object has two members of one name; which of them counts would depend on the reader.
    case duplicateName(String)
    /// Something stands after the document.
    case trailingBytes
    /// One of the caller's limits was passed.
    case tooLarge(limit: String)
  }

  public let reason: Reason
  /// Bytes from the document's start.
  public let offset: Int
  /// From 1.
  public let line: Int
  /// In bytes, from 1.
  public let column: Int

  /// One clause, lower-case, without the position.
  public var explanation: String {
    switch reason {
    case .unexpectedEnd(let expected): "the text ends where \(expected) must follow"
    case .unexpected(let byte, let expected): "found \(Self.name(of: byte)) where \(expected) must stand"
    case .malformedNumber: "this is not a number of RFC 8259"
    case .notUTF8: "the string is not UTF-8"
    case .loneSurrogate: "the escape names half of a surrogate pair"
    case .controlCharacter(let byte): "\(Self.name(of: byte)) must be escaped in a string"
    case .duplicateName(let name): "the object has two members named `\(name)`"
    case .trailingBytes: "something follows the end of the document"
    case .tooLarge(let limit): "the document is larger than the limit of \(limit)"
    }
  }

  private static func name(of byte: UInt8) -> String {
    if byte > 0x20, byte < 0x7f { return "`\(Character(Unicode.Scalar(byte)))`" }
    let digits = String(byte, radix: 16)
    return "byte 0x\(digits.count == 1 ? "0" : "")\(digits)"
  }
}

extension JSONError: CustomStringConvertible {
  /// `line:column: explanation`.
  public var description: String { "\(line):\(column): \(explanation)" }
}

extension JSONError: Diagnosable {
  public var diagnostic: Diagnostic {
    Diagnostic(
      "json.malformed", .invalid, "malformed JSON at line \(line), column \(column)",
      expected: "a document of RFC 8259",
      found: explanation)
  }
}
