internal import func Glibc.memchr
internal import func Glibc.memcmp

extension RawSpan {
  /// Where `pattern` first stands, at `start` or behind it; nil when it is not there, or is empty.
  ///
  /// - Parameter rarest: which byte of the pattern is looked for first, best one that the text has seldom.
  public func firstOffset(of pattern: borrowing RawSpan, from start: Int = 0, rarest: Int = 0) -> Int? {
    guard start >= 0, !pattern.isEmpty, pattern.byteCount <= byteCount, 0..<pattern.byteCount ~= rarest else {
      return nil
    }
    let last = byteCount - pattern.byteCount
    return unsafe withUnsafeBytes { bytes in
      unsafe pattern.withUnsafeBytes { wanted in
        guard let base = bytes.baseAddress, let pattern = wanted.baseAddress else { return nil }
        var offset = start
        while offset <= last {
          // memchr(3) looks at many bytes at once.
          let place = unsafe memchr(base + offset + rarest, Int32(wanted[rarest]), last - offset + 1)
          guard let place = unsafe place else { return nil }
          offset = unsafe UnsafeRawPointer(place) - base - rarest
          if unsafe memcmp(base + offset, pattern, wanted.count) == 0 { return offset }
          offset += 1
        }
        return nil
      }
    }
  }
}
