internal import Base
internal import KernelABI
internal import Linux

/// One file of a log, plain or compressed, of which lines are read in memory of one line.
struct AuditLogFile: ~Copyable {
  let path: String
  private let source: FileSource
  private let compression: Decompressor.Format?

  /// Opens a file of a log. Nothing is waited for, and no symbolic link is followed to it.
  static func open(_ path: String) throws(AuditReadError) -> AuditLogFile {
    let source = try AuditReadError.about(path) { () throws(SystemError) in
      let descriptor = try OwnedFD.open(path, [.readOnly, .noFollow, .nonBlocking])
      let status = try descriptor.status()
      guard status.kind == .regular else {
        throw SystemError("read a \(status.kind.rawValue) as a log", path: path, .einval)
      }
      return FileSource(descriptor, byteCount: status.size)
    }
    var start = [UInt8](repeating: 0, count: Int(min(source.byteCount, UInt64(LogFormat.magicBytes))))
    try AuditReadError.about(path) { () throws(SystemError) in
      _ = try source.descriptor.readFully(at: 0, into: &start)
    }
    return AuditLogFile(path: path, source: source, compression: try LogFormat.compression(of: start[...], path: path))
  }

  private init(path: String, source: consuming FileSource, compression: Decompressor.Format?) {
    self.path = path
    self.source = source
    self.compression = compression
  }

  /// Whether it can only be read from its beginning.
  var isCompressed: Bool { compression != nil }

  /// Calls with each line of a plain file, the last one first.
  ///
  /// - Parameter visit: false ends it.
  borrowing func backwards(_ visit: (TextLine) -> Bool) throws(AuditReadError) {
    var lines = ReversedLines(byteCount: source.byteCount)
    do throws(ByteSourceError) {
      while let line = try lines.next(from: source) {
        guard visit(line) else { return }
      }
    } catch {
      // It got shorter: another process empties it, or copies it away and truncates it.
      throw .unreadable(path: path, SystemError("read to the end of", path: path, .eio))
    }
  }

  /// The lines from the first one on.
  ///
  /// - Parameter start: bytes of a plain file that are passed over, up to the beginning of a line.
  borrowing func forwards(from start: UInt64 = 0) throws(AuditReadError) -> LogLines {
    let descriptor = try AuditReadError.about(path) { () throws(SystemError) in
      try source.descriptor.withRaw { raw throws(SystemError) in try OwnedFD.duplicating(raw) }
    }
    return LogLines(
      try LogPieces(
        path: path, descriptor, byteCount: source.byteCount, from: isCompressed ? 0 : min(start, source.byteCount)))
  }
}

extension AuditReadError {
  /// Does something with a file of a log.
  static func about<R: ~Copyable>(
    _ path: String, _ body: () throws(SystemError) -> R
  ) throws(AuditReadError) -> R {
    do throws(SystemError) { return try body() } catch { throw .unreadable(path: path, error) }
  }
}
