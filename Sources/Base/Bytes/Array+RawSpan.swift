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
