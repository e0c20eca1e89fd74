internal import CCompression

/// What a block was compressed by that is decompressed whole, without any other: a cluster of a compressed file system.
public enum BlockCompression: Int32, CaseIterable, Sendable {
  /// LZ4's block format, without a frame.
  case lz4
  /// LZMA with the first byte of its range coder replaced by its properties (MicroLZMA of liblzma).
  case lzma
  /// DEFLATE (RFC 1951), without a header.
  case deflate
  /// One zstd frame (RFC 8878).
  case zstd
  /// DEFLATE in zlib's format (RFC 1950), which has a header and a checksum.
  case zlib
  /// One stream of the .xz format.
  case xz

  /// As people call it.
  public var name: String {
    switch self {
    case .lz4: "LZ4"
    case .lzma: "LZMA"
    case .deflate: "DEFLATE"
    case .zstd: "zstd"
    case .zlib: "zlib"
    case .xz: "xz"
    }
  }

  /// The shared library that undoes it, by the name that the dynamic loader looks for.
  public var soname: String {
    switch self {
    case .lz4: "liblz4.so.1"
    case .lzma, .xz: "liblzma.so.5"
    case .deflate, .zlib: "libz.so.1"
    case .zstd: "libzstd.so.1"
    }
  }

  /// The packages that have the library: Debian's name, then Fedora's.
  public var packages: (debian: String, fedora: String) {
    switch self {
    case .lz4: ("liblz4-1", "lz4-libs")
    case .lzma, .xz: ("liblzma5", "xz-libs")
    case .deflate, .zlib: ("zlib1g", "zlib-ng-compat")
    case .zstd: ("libzstd1", "libzstd")
    }
  }

  /// The constant of the C shim.
  fileprivate var number: Int32 {
    switch self {
    case .lz4: Int32(VB_LZ4_BLOCK.rawValue)
    case .lzma: Int32(VB_MICROLZMA.rawValue)
    case .deflate: Int32(VB_RAW_DEFLATE.rawValue)
    case .zstd: Int32(VB_ZSTD_FRAME.rawValue)
    case .zlib: Int32(VB_ZLIB_STREAM.rawValue)
    case .xz: Int32(VB_XZ_STREAM.rawValue)
    }
  }
}

/// Decompresses blocks. A reader of a file system is handed one and knows nothing of libraries.
public protocol BlockDecompressor: Sendable {
  /// Decompresses one block, and never writes more than was asked for.
  ///
  /// - Parameters:
  ///   - block: the compressed bytes and nothing else.
  ///   - count: bytes that have to come out; at least one.
  ///   - isPart: whether more would come out if it were asked for. Otherwise LZ4 and LZMA have to end exactly there. zlib and
  ///     xz always have to.
  /// - Returns: `count` bytes.
  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8]

  /// Decompresses one block of which it is not known how many bytes it makes. It has to end with its last compressed byte.
  ///
  /// - Parameters:
  ///   - limit: bytes that may come out; at least one. A block that makes more is damaged.
  /// - Returns: at most `limit` bytes.
  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8]
}

/// Why a block cannot be decompressed.
public enum BlockDecompressionError: Error, Equatable, Sendable {
  /// The library is not there or cannot be used; the text is the dynamic loader's.
  case unavailable(BlockCompression, reason: String)
  /// The compressed bytes do not make the bytes that were asked for.
  case damaged(BlockCompression)
}

/// Decompresses blocks by the library for each compression, which is opened when the first block asks for it.
public struct LibraryBlockDecompressor: BlockDecompressor {
  public init() {}

  public func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] {
    try decompress(block, compression, into: count, isPart ? VB_OUTPUT_IS_PART : VB_OUTPUT_IS_EXACT)
  }

  public func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] {
    try decompress(block, compression, into: limit, VB_OUTPUT_IS_LIMIT)
  }

  private func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, into size: Int, _ meaning: vb_block_output
  ) throws(BlockDecompressionError) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: size)
    var problem = [CChar](repeating: 0, count: 256)
    var made = 0
    let state = unsafe block.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe problem.withUnsafeMutableBufferPointer { text -> Int32 in
          guard let from = source.baseAddress, let to = target.baseAddress, let words = text.baseAddress else {
            return Int32(VB_BLOCK_DAMAGED.rawValue)
          }
          return unsafe vb_decompress_block(
            compression.number, from, source.count, to, target.count, meaning, &made, words, text.count)
        }
      }
    }
    if state == Int32(VB_BLOCK_WHOLE.rawValue) {
      if made < output.count { output.removeLast(output.count - made) }
      return output
    }
    if state == Int32(VB_BLOCK_NO_LIBRARY.rawValue) {
      let reason = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw .unavailable(compression, reason: reason)
    }
    throw .damaged(compression)
  }
}
