internal import Base

/// The outer shape of DER (ITU-T X.690, section 10): nested elements, each with its length in the shortest form.
///
/// OpenSSL takes BER as well, in which one message has many spellings, some of them without lengths. What is checked
/// here has one spelling only.
enum DER {
  /// Elements within elements; a certificate has about ten levels.
  private static let maximumDepth = 32

  /// Walks through the element that the bytes begin with, and returns its length in bytes.
  static func elementLength(_ bytes: [UInt8]) throws(SignatureError) -> Int {
    // The ends of the elements that are open; the innermost last.
    var ends: [Int] = []
    var offset = 0
    var whole = 0
    repeat {
      let limit = ends.last ?? bytes.count
      let header = try header(bytes, at: offset, limit: limit)
      let end = header.start + header.length
      if ends.isEmpty { whole = end }
      if header.isConstructed && header.length > 0 {
        guard ends.count < maximumDepth else { throw .malformed(reason: "elements nested too deeply") }
        ends.append(end)
        offset = header.start
      } else {
        offset = end
      }
      while let last = ends.last, offset == last { ends.removeLast() }
    } while !ends.isEmpty
    return whole
  }

  private static func header(
    _ bytes: [UInt8], at offset: Int, limit: Int
  ) throws(SignatureError) -> (start: Int, length: Int, isConstructed: Bool) {
    guard offset < limit else { throw .malformed(reason: "it ends too early, at byte \(offset)") }
    let tag = bytes[offset]
    // Tag numbers above 30 take more bytes; no signed message has them.
    guard tag & 0x1f != 0x1f else { throw .malformed(reason: "an unknown element at byte \(offset)") }
    // Of the universal types SEQUENCE (16) and SET (17) hold elements, and no other does in DER.
    let holdsElements = tag & 0x20 != 0
    guard tag & 0xc0 != 0 || holdsElements == (tag & 0x1e == 0x10) else { throw .notDER(offset: offset) }
    var cursor = offset + 1
    guard cursor < limit else { throw .malformed(reason: "it ends too early, at byte \(cursor)") }
    let first = bytes[cursor]
    cursor += 1
    var length = UInt64(first)
    if first >= 0x80 {
      let count = Int(first & 0x7f)
      // 0x80 says that the length is not known yet; eight bytes are more than any length needs.
      guard count > 0, count <= 8 else { throw .notDER(offset: offset) }
      guard cursor + count <= limit else { throw .malformed(reason: "it ends too early, at byte \(limit)") }
      length = bytes[cursor..<(cursor + count)].reduce(0) { $0 << 8 | UInt64($1) }
      guard length >= 0x80, bytes[cursor] != 0 else { throw .notDER(offset: offset) }
      cursor += count
    }
    guard length <= UInt64(limit - cursor) else {
      throw .lengthOutside(offset: offset, length: length, available: limit - cursor)
    }
    return (cursor, Int(length), holdsElements)
  }
}
