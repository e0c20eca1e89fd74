internal import Base

/// Reading and writing of frames: fixed sizes, little-endian, reserved bits zero.
enum LinkFrame {
  /// Raised with every change of a frame or of the meaning of a word.
  static let version: UInt32 = 1
  /// Bytes for a release's name, padded with zeros.
  static let releaseBytes = 16

  static func appendRelease(_ release: String, to bytes: inout [UInt8]) {
    let text = Array(release.utf8.prefix(releaseBytes))
    bytes += text + [UInt8](repeating: 0, count: releaseBytes - text.count)
  }

  static func release(_ bytes: RawSpan, at offset: Int) throws(LinkViolation) -> String {
    let field = try slice(bytes, at: offset, count: releaseBytes)
    let text = field.prefix { $0 != 0 }
    guard text.allSatisfy({ (0x21...0x7e).contains($0) }), field.dropFirst(text.count).allSatisfy({ $0 == 0 }) else {
      throw LinkViolation(.unknownWord, "a release is no printable text")
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func slice(_ bytes: RawSpan, at offset: Int, count: Int) throws(LinkViolation) -> [UInt8] {
    do { return try bytes.slice(at: offset, count: count).copyBytes() } catch { throw cut(error) }
  }

  static func u32(_ bytes: RawSpan, _ offset: Int) throws(LinkViolation) -> UInt32 {
    do { return try bytes.u32(at: offset) } catch { throw cut(error) }
  }

  static func u64(_ bytes: RawSpan, _ offset: Int) throws(LinkViolation) -> UInt64 {
    do { return try bytes.u64(at: offset) } catch { throw cut(error) }
  }

  private static func cut(_ error: ByteError) -> LinkViolation {
    LinkViolation(
      .truncated, "a message ends too early", expected: "\(error.needed) bytes at offset \(error.offset)",
      found: "\(error.available) bytes in all")
  }

  /// Refuses a frame of another kind, or of another version of the protocol.
  static func require(_ magic: [UInt8], in bytes: RawSpan) throws(LinkViolation) {
    guard try slice(bytes, at: 0, count: magic.count) == magic else {
      throw LinkViolation(.magic, "a message does not begin as one does")
    }
    let version = try u32(bytes, magic.count)
    guard version == Self.version else {
      throw LinkViolation(
        .version, "a message is of another version of the protocol", expected: "\(Self.version)", found: "\(version)")
    }
  }

  static func requireZero(_ number: some FixedWidthInteger, _ what: String) throws(LinkViolation) {
    guard number == 0 else {
      throw LinkViolation(.reservedBits, "\(what) has bits that mean nothing", expected: "0", found: "\(number)")
    }
  }
}
