/// One line of a policy, as ranges of its text. Every byte of the text belongs to exactly one line, so nothing is lost.
public struct SyntaxLine: Sendable, Equatable {
  /// What the kernel sees of the line: from its first byte to the last one before the comment that is no blank.
  public let significant: SourceRange
  /// From `#` to the end of the line; empty when there is none.
  public let comment: SourceRange
  /// The line feed, the carriage return, or both; empty on a last line without one.
  public let terminator: SourceRange
  /// The line's words, as a range of ``SyntaxLines/words``.
  let words: Range<UInt32>

  public var hasComment: Bool { !comment.isEmpty }
}

/// A text cut into lines and words, by the rules of the kernel's parser.
public struct SyntaxLines: Sendable, Equatable {
  public private(set) var lines: [SyntaxLine] = []
  /// The words of all lines, one after the other.
  public private(set) var words: [SourceRange] = []
  /// Where the first NUL byte is: the kernel reads no further. The text's size when there is none.
  public let end: Int

  /// The words of one line: what stands between spaces and tabs, without the comment.
  public func words(of line: SyntaxLine) -> ArraySlice<SourceRange> {
    words[Int(line.words.lowerBound)..<Int(line.words.upperBound)]
  }

  /// Cuts a text.
  ///
  /// The kernel's order of steps is kept (`ipe_parse_policy`): stop at the first NUL; break lines at LF and at CR;
  /// cut each line at its first `#`, wherever it stands; strip trailing blanks, among which isspace() of the kernel
  /// counts VT, FF and the byte 0xA0; split at spaces and tabs only.
  public init(_ text: SourceText) {
    let bytes = text.bytes
    let limit = bytes.firstIndex(of: 0) ?? bytes.count
    end = limit
    var start = 0
    while start < limit {
      var contentEnd = start
      var hash: Int?
      while contentEnd < limit {
        let byte = bytes[contentEnd]
        if byte == 0x0a || byte == 0x0d { break }
        if byte == 0x23, hash == nil { hash = contentEnd }
        contentEnd += 1
      }
      var next = contentEnd
      if next < limit {
        // CR LF makes an empty second line in the kernel, which skips it; here both bytes end one line.
        next += bytes[contentEnd] == 0x0d && contentEnd + 1 < limit && bytes[contentEnd + 1] == 0x0a ? 2 : 1
      }
      var significantEnd = hash ?? contentEnd
      while significantEnd > start, Self.isBlank(bytes[significantEnd - 1]) { significantEnd -= 1 }
      let firstWord = UInt32(clamping: words.count)
      var cursor = start
      while cursor < significantEnd {
        guard !Self.isSeparator(bytes[cursor]) else {
          cursor += 1
          continue
        }
        let wordStart = cursor
        while cursor < significantEnd, !Self.isSeparator(bytes[cursor]) { cursor += 1 }
        words.append(SourceRange(wordStart, cursor))
      }
      lines.append(
        SyntaxLine(
          significant: SourceRange(start, significantEnd), comment: SourceRange(hash ?? contentEnd, contentEnd),
          terminator: SourceRange(contentEnd, next), words: firstWord..<UInt32(clamping: words.count)))
      start = next
    }
  }

  /// Space and tab (`IPE_POLICY_DELIM`).
  static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// isspace() of the kernel (lib/ctype.c): unlike C's, true for the Latin-1 no-break space.
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte) || byte == 0xa0
  }
}
