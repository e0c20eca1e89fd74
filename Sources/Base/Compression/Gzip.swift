/// Reads a gzip file (RFC 1952) whose contents are deflated (RFC 1951), such as the kernel's /proc/config.gz.
public enum Gzip {
  /// The contents of the file's first member.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - limit: bytes that the contents may have at most, so that a small file cannot fill the memory.
  /// - Returns: nil for anything that is not a whole gzip file with a right checksum within the limit.
  public static func contents(of bytes: borrowing RawSpan, limit: Int) -> [UInt8]? {
    guard let start = headerSize(bytes) else { return nil }
    var inflater = Inflater(bytes.copyBytes(), from: start, limit: limit)
    guard inflater.run(), let trailer = try? bytes.slice(at: inflater.position, count: 8),
      let checksum = try? trailer.u32(at: 0), let size = try? trailer.u32(at: 4),
      checksum == CRC32.checksum(inflater.output), size == UInt32(truncatingIfNeeded: inflater.output.count)
    else { return nil }
    return inflater.output
  }

  /// Bytes before the deflated data: ten, then an extra field, a name, a comment and a checksum by their flags.
  private static func headerSize(_ bytes: borrowing RawSpan) -> Int? {
    guard let magic = try? bytes.u16(at: 0), magic == 0x8b1f, let method = try? bytes.u8(at: 2), method == 8,
      let flags = try? bytes.u8(at: 3)
    else { return nil }
    var offset = 10
    if flags & 4 != 0 {
      guard let size = try? bytes.u16(at: offset) else { return nil }
      offset += 2 + Int(size)
    }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while true {
        guard let byte = try? bytes.u8(at: offset) else { return nil }
        offset += 1
        if byte == 0 { break }
      }
    }
    return offset + (flags & 2 != 0 ? 2 : 0)
  }
}
