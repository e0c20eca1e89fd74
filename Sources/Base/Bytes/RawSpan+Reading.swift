/// Bounds-checked little-endian reads at a byte offset.
///
/// This file is the only place where bytes are loaded without the compiler's own check: each load is preceded by
/// the range check above it.
extension RawSpan {
  @inlinable
  func requireBytes(_ count: Int, at offset: Int) throws(ByteError) {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      throw ByteError(offset: offset, needed: count, available: byteCount)
    }
  }

  /// The byte at `offset`.
  @inlinable
  public func u8(at offset: Int) throws(ByteError) -> UInt8 {
    try requireBytes(1, at: offset)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// The little-endian 16-bit number at `offset`, at any alignment.
  @inlinable
  public func u16(at offset: Int) throws(ByteError) -> UInt16 {
    try requireBytes(2, at: offset)
    return UInt16(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
  }

  /// The little-endian 32-bit number at `offset`, at any alignment.
  @inlinable
  public func u32(at offset: Int) throws(ByteError) -> UInt32 {
    try requireBytes(4, at: offset)
    return UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
  }

  /// The little-endian 64-bit number at `offset`, at any alignment.
  @inlinable
  public func u64(at offset: Int) throws(ByteError) -> UInt64 {
    try requireBytes(8, at: offset)
    return UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// The `count` bytes at `offset`, as a view that lives as long as this span.
  @inlinable
  @_lifetime(copy self)
  public func slice(at offset: Int, count: Int) throws(ByteError) -> RawSpan {
    try requireBytes(count, at: offset)
    return extracting(offset..<(offset + count))
  }

  /// A copy of the bytes.
  @inlinable
  public func copyBytes() -> [UInt8] {
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// Whether every byte is zero.
  @inlinable
  public var isAllZero: Bool {
    var offset = 0
    let words = byteCount & ~7
    while offset < words {
      if unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self) != 0 { return false }
      offset += 8
    }
    while offset < byteCount {
      if unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) != 0 { return false }
      offset += 1
    }
    return true
  }

  /// Where the first byte is that is not zero; nil when there is none.
  public var firstNonzeroOffset: Int? {
    if isAllZero { return nil }
    return (0..<byteCount).first { (try? u8(at: $0)) != 0 }
  }

  /// Whether both spans hold the same bytes. Not constant-time: for public data only (digests compare through ``Digest``).
  @inlinable
  public func hasSameBytes(as other: borrowing RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    var offset = 0
    let words = byteCount & ~7
    while offset < words {
      let mine = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if unsafe mine != other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self) { return false }
      offset += 8
    }
    while offset < byteCount {
      let mine = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if unsafe mine != other.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) { return false }
      offset += 1
    }
    return true
  }

  /// The bytes as text; nil when they are not UTF-8.
  public var utf8Text: String? {
    let bytes = Span<UInt8>(_bytes: self)
    guard let text = try? UTF8Span(validating: bytes) else { return nil }
    return String(copying: text)
  }

  /// The NUL-terminated string that starts at `offset`, without its NUL, or nil when no NUL follows or the bytes
  /// are not UTF-8.
  ///
  /// - Parameter limit: the most bytes the string may have, so that a hostile table costs no more than this.
  public func cString(at offset: Int, limit: Int = 4096) throws(ByteError) -> String? {
    try requireBytes(1, at: offset)
    var end = offset
    while end < byteCount, end - offset <= limit {
      if unsafe unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self) == 0 {
        return extracting(offset..<end).utf8Text
      }
      end += 1
    }
    return nil
  }

  /// As ``cString(at:limit:)``, for a string of printable ASCII; nil for any other. Nearly all names are such, and this
  /// takes a third of the time.
  public func printableCString(at offset: Int, limit: Int = 4096) throws(ByteError) -> String? {
    try requireBytes(1, at: offset)
    var end = offset
    while end < byteCount, end - offset <= limit {
      let byte = unsafe unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self)
      if byte == 0 {
        // What was looked at is ASCII, so there is nothing to repair.
        return unsafe extracting(offset..<end).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
      }
      guard (0x20...0x7e).contains(byte) else { return nil }
      end += 1
    }
    return nil
  }
}
