internal import func Glibc.memchr
internal import func Glibc.memcmp

extension RawSpan {
  /// Where `pattern` first stands, at `start` or behind it; nil when it is not there, or is empty.
  public func firstOffset(of pattern: borrowing RawSpan, from start: Int = 0) -> Int? {
    guard start >= 0, !pattern.isEmpty, pattern.byteCount <= byteCount else { return nil }
    let last = byteCount - pattern.byteCount
    return unsafe withUnsafeBytes { bytes in
      unsafe pattern.withUnsafeBytes { wanted in
        guard let base = bytes.baseAddress, let pattern = wanted.baseAddress else { return nil }
        var offset = start
        while offset <= last {
          // memchr(3) looks at many bytes at once.
          guard let found = unsafe memchr(base + offset, Int32(wanted[0]), last - offset + 1) else { return nil }
          offset = unsafe UnsafeRawPointer(found) - base
          if unsafe memcmp(found, pattern, wanted.count) == 0 { return offset }
          offset += 1
        }
        return nil
      }
    }
  }
}
