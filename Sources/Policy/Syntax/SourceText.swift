/// Bytes from `start` up to, not including, `end` of a policy text.
public struct SourceRange: Hashable, Sendable {
  public let start: UInt32
  public let end: UInt32

  @inlinable
  public init(_ start: Int, _ end: Int) {
    self.start = UInt32(clamping: start)
    self.end = UInt32(clamping: end)
  }

  /// The range as indices.
  @inlinable
  public var indices: Range<Int> { Int(start)..<max(Int(start), Int(end)) }
  @inlinable
  public var count: Int { indices.count }
  public var isEmpty: Bool { end <= start }

  /// The part from `offset` bytes after the start.
  func dropFirst(_ offset: Int) -> SourceRange { SourceRange(min(Int(start) + offset, Int(end)), Int(end)) }
}

/// A place in a text, counted from 1. Lines end at line feeds, columns count bytes, as compilers report them.
public struct SourcePosition: Hashable, Sendable {
  public let line: Int
  public let column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A policy text's bytes with the places of its lines.
public struct SourceText: Sendable, Equatable {
  public let bytes: [UInt8]
  /// Where each line begins; always at least one.
  private let lineStarts: [UInt32]

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts: [UInt32] = [0]
    for (offset, byte) in bytes.enumerated() where byte == 0x0a { starts.append(UInt32(clamping: offset + 1)) }
    lineStarts = starts
  }

  /// The bytes of a range, cut to what is there.
  public subscript(range: SourceRange) -> ArraySlice<UInt8> {
    bytes[range.indices.clamped(to: bytes.indices)]
  }

  /// The bytes of a range as text; malformed UTF-8 is replaced.
  public func text(_ range: SourceRange) -> String { String(decoding: self[range], as: UTF8.self) }

  /// Line and column of a byte.
  public func position(of offset: Int) -> SourcePosition {
    // The last line that starts at or before the offset.
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(lineStarts[middle]) <= offset { low = middle } else { high = middle }
    }
    return SourcePosition(line: low + 1, column: offset - Int(lineStarts[low]) + 1)
  }

  /// Line and column of a byte, with columns that count characters (code points of Unicode) and not bytes.
  public func characterPosition(of offset: Int) -> SourcePosition {
    let place = position(of: offset)
    let before = line(place.line).prefix(place.column - 1)
    return SourcePosition(line: place.line, column: String(decoding: before, as: UTF8.self).unicodeScalars.count + 1)
  }

  /// The line of that number, counted from 1, without its line feed; empty when there is none.
  public func line(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = Int(lineStarts[number - 1])
    let end = number < lineStarts.count ? Int(lineStarts[number]) - 1 : bytes.count
    return bytes[start..<max(start, end)]
  }

  public static func == (left: SourceText, right: SourceText) -> Bool { left.bytes == right.bytes }
}
