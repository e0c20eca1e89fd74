extension [UInt8] {
  /// The array's bytes as a raw span. (`Span.bytes` counts as unsafe for any element; for bytes it is not.)
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    @inlinable get { unsafe span.bytes }
  }
}
