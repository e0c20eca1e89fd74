public import Base
internal import KernelABI
internal import Linux

/// How logs are compressed, told by their first bytes: names can be anything.
enum LogCompression {
  static let magicBytes = 6

  private static let magics: [(bytes: [UInt8], name: String, format: Decompressor.Format?)] = [
    ([0x1f, 0x8b], "gzip", .gzip), ([0x28, 0xb5, 0x2f, 0xfd], "zstd", .zstd),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz", .xz), ([0x42, 0x5a, 0x68], "bzip2", nil),
    ([0x04, 0x22, 0x4d, 0x18], "lz4", nil), ([0x1f, 0x9d], "compress", nil),
  ]

  /// Nil for plain text.
  static func format(of start: ArraySlice<UInt8>, path: String) throws(AuditReadError) -> Decompressor.Format? {
    guard let found = magics.first(where: { start.starts(with: $0.bytes) }) else { return nil }
    guard let format = found.format else { throw .compression(path: path, by: found.name) }
    return format
  }
}

/// The lines of a log from the first one on, in memory of one line and one piece. The log may be a file or a pipe, plain or
/// compressed by gzip, zstd or xz.
public struct LogLines: ~Copyable {
  private let path: String
  private let descriptor: OwnedFD
  /// What of a file is not read yet; nil for a pipe, and for a file that is read to wherever it ends.
  private var unread: Range<UInt64>?
  private var decompressor: Decompressor?
  private var splitter = LineSplitter()
  /// What was read of the file and not decompressed.
  private var input: [UInt8]
  private var taken = 0
  private var given = 0
  /// What was decompressed, and what of it is not cut into lines.
  private var output: [UInt8] = []
  private var isFull = false
  private var piece: ArraySlice<UInt8> = []
  private var isAtEnd = false

  /// Bytes that are read at a time.
  private static let pieceBytes = 1 << 16

  /// - Parameter path: `-` is standard input.
  public init(_ path: String) throws(AuditReadError) {
    let descriptor = try AuditReadError.about(path) { () throws(SystemError) in
      try OwnedFD.open(path == "-" ? "/dev/stdin" : path, .readOnly)
    }
    try self.init(path: path, descriptor, byteCount: nil)
  }

  /// - Parameter byteCount: bytes of the file that are read, from its first one on; nil for what is there from the
  ///   descriptor's position on.
  /// - Parameter start: where reading begins in a plain file.
  init(
    path: String, _ descriptor: consuming OwnedFD, byteCount: UInt64?, from start: UInt64 = 0
  ) throws(AuditReadError) {
    self.path = path
    self.descriptor = descriptor
    unread = byteCount.map { start..<$0 }
    input = [UInt8](repeating: 0, count: Self.pieceBytes)
    try read()
    guard let format = try LogCompression.format(of: input[..<given], path: path) else { return }
    do throws(Decompressor.Failure) {
      decompressor = try Decompressor(format)
    } catch {
      throw refusal(error)
    }
    output = [UInt8](repeating: 0, count: Self.pieceBytes)
  }

  /// The next line; nil at the end.
  public mutating func next() throws(AuditReadError) -> TextLine? {
    while true {
      if let line = splitter.next(&piece) { return line }
      guard try fill() else { return splitter.last() }
    }
  }

  /// Gets the next piece of text; false at the end.
  private mutating func fill() throws(AuditReadError) -> Bool {
    if decompressor == nil {
      if taken == given { try read() }
      piece = input[taken..<given]
      taken = given
      return !piece.isEmpty
    }
    while true {
      if taken == given, !isFull, !isAtEnd { try read() }
      // Taken out of the value for the call, which uses both and changes the value.
      let bytes = input
      var buffer = output
      (output, piece) = ([], [])
      do throws(Decompressor.Failure) {
        let done = try decompressor?.run(bytes.rawSpan.extracting(taken..<given), into: &buffer) ?? (taken: 0, made: 0)
        taken += done.taken
        isFull = done.made == buffer.count
        piece = buffer[..<done.made]
      } catch {
        throw refusal(error)
      }
      output = buffer
      if !piece.isEmpty { return true }
      guard taken < given || !isAtEnd else { break }
    }
    guard decompressor?.isWhole != false else { throw .damaged(path: path) }
    return false
  }

  private mutating func read() throws(AuditReadError) {
    taken = 0
    // A file may be read in small pieces when it is a pipe, and then its first bytes may not tell its kind yet.
    given = 0
    while given < LogCompression.magicBytes, !isAtEnd {
      var more = [UInt8](repeating: 0, count: Self.pieceBytes - given)
      let got = try AuditReadError.about(path) { () throws(SystemError) in try readSome(into: &more) }
      isAtEnd = got == 0
      input.replaceSubrange(given..<given + got, with: more[..<got])
      given += got
    }
  }

  private mutating func readSome(into bytes: inout [UInt8]) throws(SystemError) -> Int {
    guard let range = unread else { return try descriptor.readSome(into: &bytes) }
    let count = Int(min(UInt64(bytes.count), UInt64(range.count)))
    guard count > 0 else { return 0 }
    var piece = [UInt8](repeating: 0, count: count)
    guard try descriptor.readFully(at: range.lowerBound, into: &piece) else {
      throw SystemError("read to the end of", path: path, .eio)
    }
    bytes.replaceSubrange(..<count, with: piece)
    unread = range.lowerBound + UInt64(count)..<range.upperBound
    return count
  }

  private func refusal(_ failure: Decompressor.Failure) -> AuditReadError {
    switch failure {
    case .unavailable(let reason): .noDecompressor(path: path, reason: reason)
    case .damaged: .damaged(path: path)
    case .needsTooMuchMemory: .compression(path: path, by: "xz, with a dictionary that needs more than 80 MiB")
    }
  }
}
