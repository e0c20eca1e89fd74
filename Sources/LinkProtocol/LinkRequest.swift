internal import Base

/// What a loader asks of its helper: the edits of one object. The object's verified bytes follow the frame.
public struct LinkRequest: Equatable, Sendable {
  /// Counts the requests of one helper, so that an answer belongs to one of them.
  public let sequence: UInt64
  /// Bytes of the object.
  public let byteCount: Int
  /// The release of the loader.
  public let release: String

  public init(sequence: UInt64, byteCount: Int, release: String) {
    self.sequence = sequence
    self.byteCount = byteCount
    self.release = release
  }

  /// Bytes of the frame.
  public static let frameSize = 48
  private static let magic = Array("vblinkRQ".utf8)

  /// The frame.
  public var frame: [UInt8] {
    var bytes = Self.magic
    bytes.appendLittleEndian(LinkFrame.version)
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(sequence)
    bytes.appendLittleEndian(UInt64(clamping: byteCount))
    LinkFrame.appendRelease(release, to: &bytes)
    return bytes
  }

  /// Reads a frame.
  public init(frame bytes: RawSpan) throws(LinkViolation) {
    try LinkFrame.require(Self.magic, in: bytes)
    try LinkFrame.requireZero(try LinkFrame.u32(bytes, 12), "a request")
    sequence = try LinkFrame.u64(bytes, 16)
    let count = try LinkFrame.u64(bytes, 24)
    guard count <= UInt64(LinkLimits.objectBytes) else {
      throw LinkViolation(
        .tooLarge, "a request announces too large an object", expected: "at most \(LinkLimits.objectBytes) bytes",
        found: "\(count)")
    }
    byteCount = Int(count)
    release = try LinkFrame.release(bytes, at: 32)
  }
}
