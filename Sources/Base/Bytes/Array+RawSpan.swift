extension [UInt8] {
  /// The array's bytes as a raw span. (`Span.bytes` counts as unsafe for any element; for bytes it is not.)
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    @inlinable get { unsafe span.bytes }
  }

  /// Appends a copy of the bytes.
  @inlinable
  public mutating func append(copying bytes: borrowing RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in unsafe append(contentsOf: buffer) }
  }
}

extension ArraySlice<UInt8> {
  /// The slice's bytes as a raw span; its offsets count from the slice's first byte.
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    @inlinable get { unsafe span.bytes }
  }

  /// Where `pattern` first stands, as an index of the slice; nil when it is not there, or is empty.
  ///
  /// - Parameters:
  ///   - start: the index that the search begins with; nil for the first.
  ///   - rarest: which byte of the pattern is looked for first, best one that the text has seldom.
  public func firstIndex(of pattern: [UInt8], from start: Int? = nil, rarest: Int = 0) -> Int? {
    rawSpan.firstOffset(of: pattern.rawSpan, from: (start ?? startIndex) - startIndex, rarest: rarest)
      .map { startIndex + $0 }
  }
}
