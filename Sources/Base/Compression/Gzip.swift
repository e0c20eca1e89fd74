/// Reads a whole gzip file (RFC 1952) in memory, such as the kernel's /proc/config.gz.
public enum Gzip {
  /// The contents of the file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - limit: bytes that the contents may have at most, so that a small file cannot fill the memory.
  /// - Returns: nil for anything that is not a whole gzip file with a right checksum within the limit, and where zlib is not
  ///   there.
  public static func contents(of bytes: borrowing RawSpan, limit: Int) -> [UInt8]? {
    guard bytes.byteCount > 0, var decompressor = try? Decompressor(.gzip) else { return nil }
    var contents: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var place = 0
    while true {
      guard let done = try? decompressor.run(bytes.extracting(place..<bytes.byteCount), into: &piece),
        done.made <= limit - contents.count
      else { return nil }
      place += done.taken
      contents += piece[..<done.made]
      if place == bytes.byteCount, done.made < piece.count { return decompressor.isWhole ? contents : nil }
    }
  }
}
