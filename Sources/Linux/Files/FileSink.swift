public import Base

/// A file being written, as a ``Base/ByteSink``.
public struct FileSink: ByteSink, ~Copyable {
  private let descriptor: OwnedFD

  /// Wraps a file open for writing.
  public init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

  public mutating func write(_ bytes: borrowing RawSpan, at offset: UInt64) throws(ByteSinkError) {
    do throws(SystemError) {
      try descriptor.writeAll(bytes, at: offset)
    } catch {
      throw ByteSinkError(offset: offset, reason: error.description)
    }
  }
}
