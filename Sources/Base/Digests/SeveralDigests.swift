internal import CHashKernels

extension Digest {
  /// The SHA-256 of each of several messages, worked out side by side where the processor has SHA extensions: these wait
  /// for their own results most of the time when they have one message alone.
  ///
  /// - Throws: ``HashingError`` when OpenSSL is needed and cannot provide the algorithm.
  public static func of(each messages: [[UInt8]]) throws(HashingError) -> [Digest] {
    guard HashKernel.shani.isAvailable, messages.count > 1 else {
      var digests: [Digest] = []
      for message in messages { digests.append(try of(message.rawSpan)) }
      return digests
    }
    var digests: [Digest] = []
    for start in stride(from: 0, to: messages.count, by: 16) {
      try append(of: messages[start..<min(start + 16, messages.count)], to: &digests)
    }
    return digests
  }

  private static func append(of messages: ArraySlice<[UInt8]>, to digests: inout [Digest]) throws(HashingError) {
    var output = [UInt8](repeating: 0, count: 32 * messages.count)
    unsafe withBuffers(messages, []) { buffers in
      let starts = unsafe buffers.map { $0.baseAddress }
      let sizes = unsafe buffers.map(\.count)
      unsafe output.withUnsafeMutableBufferPointer { output in
        _ = unsafe vb_sha256_messages(starts, sizes, starts.count, output.baseAddress)
      }
    }
    for start in stride(from: 0, to: output.count, by: 32) {
      guard let digest = Digest(.sha256, bytes: Array(output[start..<start + 32])) else { throw .unavailable(.sha256) }
      digests.append(digest)
    }
  }

  /// Calls `body` while the memory of every message stays where it is; one frame of the stack a message.
  private static func withBuffers(
    _ messages: ArraySlice<[UInt8]>, _ found: [UnsafeBufferPointer<UInt8>],
    _ body: ([UnsafeBufferPointer<UInt8>]) -> Void
  ) {
    guard let first = messages.first else { return unsafe body(found) }
    unsafe first.withUnsafeBufferPointer { unsafe withBuffers(messages.dropFirst(), found + [$0], body) }
  }
}
