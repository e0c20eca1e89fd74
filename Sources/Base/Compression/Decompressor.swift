internal import CCompression

/// Undoes gzip (RFC 1952), zstd (RFC 8878) or the .xz format, piece by piece, by the library for it: whatever the
/// size, in memory that does not grow.
///
/// A file may consist of several members, frames or streams, one after another; they read as one.
@safe public struct Decompressor: ~Copyable {
  /// What a stream was compressed by.
  public enum Format: String, CaseIterable, Sendable {
    case gzip, zstd, xz

    /// The constant of the C shim.
    fileprivate var number: Int32 {
      switch self {
      case .gzip: Int32(VB_GZIP.rawValue)
      case .zstd: Int32(VB_ZSTD.rawValue)
      case .xz: Int32(VB_XZ.rawValue)
      }
    }
  }

  /// Why a stream cannot be read.
  public enum Failure: Error, Equatable, Sendable {
    /// The library is not there; the text says which, and why.
    case unavailable(String)
    /// The compressed bytes are not what they say they are.
    case damaged
    /// Undoing the compression takes more memory than there is for that: 80 MiB for xz, 128 MiB for zstd.
    case needsTooMuchMemory
  }

  private let handle: OpaquePointer
  /// Whether what was taken so far is whole: a stream that ends here was not cut.
  public private(set) var isWhole = true

  /// - Throws: ``Failure/unavailable(_:)``.
  public init(_ format: Format) throws(Failure) {
    var problem = [CChar](repeating: 0, count: 256)
    let made = unsafe problem.withUnsafeMutableBufferPointer { text -> OpaquePointer? in
      guard let start = text.baseAddress else { return nil }
      return unsafe vb_decompressor_make(format.number, start, text.count)
    }
    guard let made = unsafe made else {
      throw .unavailable(String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    unsafe handle = made
  }

  deinit { unsafe vb_decompressor_free(handle) }

  /// Decompresses some bytes.
  ///
  /// - Parameters:
  ///   - input: what comes next of the compressed bytes; when not all of it was taken, the rest is to be given again.
  ///   - output: room for what comes out; it is filled from its start. When it gets full, there may be more without more
  ///     input.
  /// - Returns: bytes of the input that were taken, and of the output that were made.
  public mutating func run(
    _ input: borrowing RawSpan, into output: inout [UInt8]
  ) throws(Failure) -> (taken: Int, made: Int) {
    guard !output.isEmpty else { return (0, 0) }
    let done = unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target -> vb_decompressed? in
        guard let start = target.baseAddress else { return nil }
        // Nothing has no address; none is read then.
        let place = unsafe source.baseAddress ?? UnsafeRawPointer(start)
        return unsafe vb_decompress(handle, place, source.count, start, target.count)
      }
    }
    if done?.state == Int32(VB_TOO_LARGE.rawValue) { throw .needsTooMuchMemory }
    guard let done, done.state == Int32(VB_MEMBER_ENDED.rawValue) || done.state == Int32(VB_DECOMPRESSING.rawValue)
    else {
      throw .damaged
    }
    isWhole = done.state == Int32(VB_MEMBER_ENDED.rawValue)
    return (done.taken, done.made)
  }
}
