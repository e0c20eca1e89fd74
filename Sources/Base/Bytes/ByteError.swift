/// A read outside the bytes at hand, or bytes that are not text where text was promised.
///
/// Every parser of this project reads through ``Base``'s checked accessors and wraps this error with the
/// name of the structure it was reading.
public struct ByteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where the read began, in bytes from the start of the span that was read.
  public let offset: Int
  /// How many bytes the read needed.
  public let needed: Int
  /// How many bytes the span holds in all.
  public let available: Int

  @inlinable
  public init(offset: Int, needed: Int, available: Int) {
    self.offset = offset
    self.needed = needed
    self.available = available
  }

  public var description: String {
    "needs \(needed) bytes at offset \(offset), but only \(available) bytes are there"
  }
}
