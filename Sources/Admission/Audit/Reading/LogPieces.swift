internal import Base
internal import KernelABI
internal import Linux

/// What a log is, told by its first bytes: names can be anything.
enum LogFormat {
  static let magicBytes = 6

  private static let compressions: [(bytes: [UInt8], name: String, format: Decompressor.Format?)] = [
    ([0x1f, 0x8b], "gzip", .gzip), ([0x28, 0xb5, 0x2f, 0xfd], "zstd", .zstd),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz", .xz), ([0x42, 0x5a, 0x68], "bzip2", nil),
    ([0x04, 0x22, 0x4d, 0x18], "lz4", nil), ([0x1f, 0x9d], "compress", nil), ([0x4c, 0x5a, 0x49, 0x50], "lzip", nil),
  ]

  /// Nil for plain text.
  static func compression(of start: ArraySlice<UInt8>, path: String) throws(AuditReadError) -> Decompressor.Format? {
    guard let found = compressions.first(where: { start.starts(with: $0.bytes) }) else { return nil }
    guard let format = found.format else { throw .compression(path: path, by: found.name) }
    return format
  }

  /// Bytes that tell a file that is no text.
  static let binaryMagicBytes = 24

  private static let unpack = "unpack it, and name the files"
  private static let decrypt = "decrypt it"
  private static let binaries: [(start: String, name: String, next: String)] = [
    ("LPKSHHRH", "a binary file of the systemd journal", "journalctl -o export --file FILE prints its records"),
    ("PK\u{3}\u{4}", "a zip archive", unpack), ("7z\u{bc}\u{af}", "a 7z archive", unpack),
    ("age-encryption.org/", "encrypted by age", decrypt), ("-----BEGIN PGP", "encrypted by OpenPGP", decrypt),
    ("-----BEGIN AGE", "encrypted by age", decrypt), ("Salted__", "encrypted by openssl enc", decrypt),
    ("SQLite format 3", "an SQLite database", "export its records as text"),
    ("PAR1", "a Parquet file", "export its records as JSON lines"),
    ("ElfFile", "an event log of Windows", "name a log of the Linux host"), ("\u{7f}ELF", "an ELF file", "name a log"),
  ]

  private static func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
  }

  /// Refuses, by its name, what holds no lines of text.
  static func requireText(_ start: ArraySlice<UInt8>, path: String) throws(AuditReadError) {
    for binary in binaries where start.starts(with: bytes(binary.start)) {
      throw .format(path: path, of: binary.name, next: binary.next)
    }
    // UTF-32 begins like UTF-16.
    if start.starts(with: [0xff, 0xfe, 0, 0]) || start.starts(with: [0, 0, 0xfe, 0xff]) {
      throw .format(path: path, of: "text in UTF-32", next: "iconv -f UTF-32 -t UTF-8 converts it")
    }
  }
}

/// A log from its beginning, in pieces of its text. The log may be a file or a pipe, plain or compressed by gzip, zstd or xz,
/// of any size: the memory is that of some pieces.
public struct LogPieces: ~Copyable {
  private let path: String
  private let descriptor: OwnedFD
  /// What of a file is not read yet; nil for a pipe, and for a file that is read to wherever it ends.
  private var unread: Range<UInt64>?
  private var decompressor: Decompressor?
  /// What was read of the file and not decompressed.
  private var input: [UInt8]
  private var taken = 0
  private var given = 0
  /// What was decompressed.
  private var output: [UInt8] = []
  private var isFull = false
  private var isAtEnd = false

  /// Bytes that are read at a time.
  private static let pieceBytes = 1 << 16

  /// - Parameter path: `-` is standard input.
  /// - Throws: ``AuditReadError``, also for what is no text (``AuditReadError/format(path:of:next:)``).
  public init(_ path: String) throws(AuditReadError) {
    let descriptor = try AuditReadError.about(path) { () throws(SystemError) in
      try OwnedFD.open(path == "-" ? "/dev/stdin" : path, .readOnly)
    }
    try self.init(path: path, descriptor, byteCount: nil, mayBeOther: true)
  }

  /// - Parameter byteCount: bytes of the file that are read, from its first one on; nil for what is there from the
  ///   descriptor's position on.
  /// - Parameter start: where reading begins in a plain file.
  /// - Parameter mayBeOther: whether the file was named by a person, and may be no log.
  init(
    path: String, _ descriptor: consuming OwnedFD, byteCount: UInt64?, from start: UInt64 = 0, mayBeOther: Bool = false
  ) throws(AuditReadError) {
    self.path = path
    self.descriptor = descriptor
    unread = byteCount.map { start..<$0 }
    input = [UInt8](repeating: 0, count: Self.pieceBytes)
    try read(atLeast: mayBeOther ? LogFormat.binaryMagicBytes : LogFormat.magicBytes)
    guard let format = try LogFormat.compression(of: input[..<given], path: path) else {
      if mayBeOther { try LogFormat.requireText(input[..<given], path: path) }
      return
    }
    do throws(Decompressor.Failure) {
      decompressor = try Decompressor(format)
    } catch {
      throw refusal(error)
    }
    output = [UInt8](repeating: 0, count: Self.pieceBytes)
  }

  /// The next piece, which is not empty; nil at the end.
  public mutating func next() throws(AuditReadError) -> ArraySlice<UInt8>? {
    if decompressor == nil {
      if taken == given { try read(atLeast: 1) }
      let piece = input[taken..<given]
      taken = given
      return piece.isEmpty ? nil : piece
    }
    while true {
      if taken == given, !isFull, !isAtEnd { try read(atLeast: 1) }
      // Taken out of the value for the call, which uses both and changes the value.
      let bytes = input
      var buffer = output
      var piece: ArraySlice<UInt8> = []
      output = []
      do throws(Decompressor.Failure) {
        let done = try decompressor?.run(bytes.rawSpan.extracting(taken..<given), into: &buffer) ?? (taken: 0, made: 0)
        taken += done.taken
        isFull = done.made == buffer.count
        piece = buffer[..<done.made]
      } catch {
        throw refusal(error)
      }
      output = buffer
      if !piece.isEmpty { return piece }
      guard taken < given || !isAtEnd else { break }
    }
    guard decompressor?.isWhole != false else { throw .damaged(path: path) }
    return nil
  }

  private mutating func read(atLeast count: Int) throws(AuditReadError) {
    taken = 0
    given = 0
    // A pipe may give small pieces, and then the first bytes may not tell a file's kind yet.
    while given < count, !isAtEnd {
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
