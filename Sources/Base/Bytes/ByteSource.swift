/// Random access to bytes that nobody has vouched for yet: an image file, a block device, an array in a test.
///
/// Pure modules take their input through this protocol, so that they never open anything themselves.
public protocol ByteSource: ~Copyable {
  /// Bytes in all.
  var byteCount: UInt64 { get }

  /// Fills `buffer` completely with the bytes that start at `offset`.
  ///
  /// What lands in the buffer is private to the caller: the source keeps no way to change it later.
  func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError)

  /// Says that these bytes will be read soon, so that a source on a disk can fetch them meanwhile. Never fails.
  func willRead(at offset: UInt64, byteCount: UInt64)
}

extension ByteSource where Self: ~Copyable {
  public func willRead(at offset: UInt64, byteCount: UInt64) {}
}

/// Why a ``ByteSource`` could not fill the buffer.
public enum ByteSourceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The source ends before the bytes that were asked for.
  case endOfSource(offset: UInt64, needed: Int, byteCount: UInt64)
  /// The system refused; `reason` is the errno's name and text.
  case system(offset: UInt64, reason: String)

  public var description: String {
    switch self {
    case .endOfSource(let offset, let needed, let byteCount):
      "needs \(needed) bytes at offset \(offset), but the source ends at \(byteCount)"
    case .system(let offset, let reason):
      "reading at offset \(offset) failed: \(reason)"
    }
  }
}

/// Bytes already in memory as a ``ByteSource``.
public struct ArraySource: ByteSource, Sendable {
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var byteCount: UInt64 { UInt64(bytes.count) }

  public func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
    let needed = buffer.byteCount
    guard offset <= byteCount, UInt64(needed) <= byteCount - offset else {
      throw .endOfSource(offset: offset, needed: needed, byteCount: byteCount)
    }
    let start = Int(offset)
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe target.copyBytes(from: bytes[start..<start + needed])  // within both, by the check above
    }
  }
}
