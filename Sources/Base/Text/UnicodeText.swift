/// A text that comes in pieces, as UTF-8 and without its byte order mark, in the encoding that the mark names: UTF-16 of
/// either order, or UTF-8. A text without a mark is left as it is.
public struct UnicodeText: Sendable {
  private enum Encoding: Sendable {
    /// So few bytes were seen that a mark may still come.
    case undecided
    case asItIs
    case utf16(isLittleEndian: Bool)
  }

  private var encoding = Encoding.undecided
  /// Bytes that do not make a mark or a code unit yet.
  private var pending: [UInt8] = []
  /// The first half of a surrogate pair whose second half may come.
  private var high: UInt16?

  public init() {}

  /// The part of the text that a piece completes.
  public mutating func utf8(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    switch encoding {
    case .asItIs: return piece
    case .utf16(let isLittleEndian): return decode(piece, isLittleEndian)
    case .undecided:
      pending += piece
      if pending.count < 3, Self.mayBeMarked(pending) { return [] }
      return decide()
    }
  }

  /// At the end of the text: what was held back. Half of a character becomes U+FFFD.
  public mutating func last() -> ArraySlice<UInt8> {
    if case .undecided = encoding { return decide() }
    let isCut = high != nil || !pending.isEmpty
    (high, pending) = (nil, [])
    return isCut ? Self.replacement[...] : []
  }

  private static let replacement: [UInt8] = [0xef, 0xbf, 0xbd]
  private static let mark8: [UInt8] = [0xef, 0xbb, 0xbf]

  private static func mayBeMarked(_ start: [UInt8]) -> Bool {
    start == [0xff] || start == [0xfe] || mark8.starts(with: start)
  }

  private mutating func decide() -> ArraySlice<UInt8> {
    let start = pending
    pending = []
    if start.starts(with: Self.mark8) {
      encoding = .asItIs
      return start[3...]
    }
    let isLittleEndian = start.starts(with: [0xff, 0xfe])
    guard isLittleEndian || start.starts(with: [0xfe, 0xff]) else {
      encoding = .asItIs
      return start[...]
    }
    encoding = .utf16(isLittleEndian: isLittleEndian)
    return decode(start[2...], isLittleEndian)
  }

  private mutating func decode(_ piece: ArraySlice<UInt8>, _ isLittleEndian: Bool) -> ArraySlice<UInt8> {
    var text: [UInt8] = []
    text.reserveCapacity(piece.count)
    for byte in piece {
      guard let first = pending.first else {
        pending.append(byte)
        continue
      }
      pending.removeLast()
      take(isLittleEndian ? UInt16(byte) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(byte), &text)
    }
    return text[...]
  }

  private mutating func take(_ unit: UInt16, _ text: inout [UInt8]) {
    if let first = high {
      high = nil
      if UTF16.isTrailSurrogate(unit) {
        let scalar = 0x10000 + (UInt32(first - 0xd800) << 10 | UInt32(unit - 0xdc00))
        if let scalar = Unicode.Scalar(scalar) { text += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter }
        return
      }
      text += Self.replacement
    }
    if unit < 0x80 {
      text.append(UInt8(unit))
    } else if UTF16.isLeadSurrogate(unit) {
      high = unit
    } else if let scalar = Unicode.Scalar(unit) {
      text += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
    } else {
      text += Self.replacement
    }
  }
}
