/// Somewhere to put bytes at given offsets: a file being built, an array in a test.
///
/// Pure modules write their output through this protocol, so that they never open anything themselves.
public protocol ByteSink: ~Copyable {
  /// Writes all the bytes at `offset`; writes may come in any order and leave gaps, which read as zeros.
  mutating func write(_ bytes: borrowing RawSpan, at offset: UInt64) throws(ByteSinkError)
}

/// Why a ``ByteSink`` could not take the bytes.
public struct ByteSinkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where the write began, in bytes.
  public let offset: UInt64
  /// The errno's name and text.
  public let reason: String

  /// Puts place and reason together.
  public init(offset: UInt64, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// One sentence without a full stop.
  public var description: String { "writing at offset \(offset) failed: \(reason)" }
}

/// An array that grows as it is written to.
public struct ArraySink: ByteSink, Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8]
  /// The most bytes the array may get.
  public let limit: Int

  /// Begins with some bytes already there.
  public init(_ bytes: [UInt8] = [], limit: Int = 1 << 31) {
    self.bytes = bytes
    self.limit = limit
  }

  /// Overwrites, and grows with zeros up to the place where needed.
  public mutating func write(_ new: borrowing RawSpan, at offset: UInt64) throws(ByteSinkError) {
    let count = UInt64(new.byteCount)
    guard offset <= UInt64(limit), count <= UInt64(limit) - offset else {
      throw ByteSinkError(offset: offset, reason: "the array may hold at most \(limit) bytes")
    }
    let start = Int(offset)
    let end = start + new.byteCount
    if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
    bytes.replaceSubrange(start..<end, with: new.copyBytes())
  }
}
