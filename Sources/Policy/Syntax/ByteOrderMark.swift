/// The bytes by which some editors begin a text, to say how it is encoded. Nothing here is read with them: they are no part of
/// the first word, and are not shown.
package enum ByteOrderMark: Sendable {
  case utf8
  case utf16

  /// The mark that a text begins with; nil where it begins with none.
  package init?(of text: some Collection<UInt8>) {
    if text.starts(with: [0xef, 0xbb, 0xbf]) {
      self = .utf8
    } else if text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff]) {
      self = .utf16
    } else {
      return nil
    }
  }

  /// What is wrong with such a text.
  package var complaint: String {
    switch self {
    case .utf8: "the file begins with a byte order mark (U+FEFF), which is not shown and belongs to the first word"
    case .utf16: "the file begins with a byte order mark (U+FEFF) of UTF-16"
    }
  }

  /// What to do about it.
  package var hint: String { "save it as UTF-8 without a byte order mark" }
}
