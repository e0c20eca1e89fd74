/// Part of a source as a source of its own: the bytes from `start`, `byteCount` of them.
public struct SourceWindow<Base: ByteSource & ~Copyable>: ByteSource, ~Copyable {
  public let base: Base
  /// Where it begins in the base, in bytes.
  public let start: UInt64
  public let byteCount: UInt64

  /// The window; nil when it does not lie inside the base.
  public init?(_ base: consuming Base, from start: UInt64, byteCount: UInt64) {
    guard start <= base.byteCount, byteCount <= base.byteCount - start else { return nil }
    self.base = base
    self.start = start
    self.byteCount = byteCount
  }

  public func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
    guard offset <= byteCount, UInt64(buffer.byteCount) <= byteCount - offset else {
      throw .endOfSource(offset: offset, needed: buffer.byteCount, byteCount: byteCount)
    }
    // `start` and `offset` lie inside the base, so their sum does too.
    try base.read(at: start + offset, into: &buffer)
  }

  public func willRead(at offset: UInt64, byteCount: UInt64) {
    guard offset < self.byteCount else { return }
    base.willRead(at: start + offset, byteCount: min(byteCount, self.byteCount - offset))
  }
}

extension SourceWindow: Sendable where Base: Sendable & ~Copyable {}
