internal import Base
internal import Linux

/// The image's file while it is written. It keeps the system's own words for why it could not be.
struct ImageSink: ByteSink, ~Copyable, Sendable {
  private let descriptor: OwnedFD
  private(set) var failure: SystemError?

  init(_ descriptor: consuming OwnedFD) {
    self.descriptor = descriptor
    failure = nil
  }

  mutating func write(_ bytes: borrowing RawSpan, at offset: UInt64) throws(ByteSinkError) {
    do throws(SystemError) {
      try descriptor.writeAll(bytes, at: offset)
    } catch {
      failure = error
      throw ByteSinkError(offset: offset, reason: error.description)
    }
  }
}
