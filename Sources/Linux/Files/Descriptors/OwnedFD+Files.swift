internal import Base
internal import CLinuxShim
internal import Glibc

/// How a file is opened; every open is close-on-exec.
public struct OpenFlags: OptionSet, Sendable {
  public let rawValue: CInt
  public init(rawValue: CInt) { self.rawValue = rawValue }

  public static let readOnly = OpenFlags(rawValue: VB_O_RDONLY)
  public static let readWrite = OpenFlags(rawValue: VB_O_RDWR)
  public static let writeOnly = OpenFlags(rawValue: VB_O_WRONLY)
  public static let create = OpenFlags(rawValue: VB_O_CREAT)
  public static let exclusive = OpenFlags(rawValue: VB_O_EXCL)
  public static let truncate = OpenFlags(rawValue: VB_O_TRUNC)
  public static let append = OpenFlags(rawValue: VB_O_APPEND)
  public static let directory = OpenFlags(rawValue: VB_O_DIRECTORY)
  public static let noFollow = OpenFlags(rawValue: VB_O_NOFOLLOW)
  public static let path = OpenFlags(rawValue: VB_O_PATH)
  /// A FIFO or device is opened without waiting for its other end.
  public static let nonBlocking = OpenFlags(rawValue: VB_O_NONBLOCK)
}

extension OwnedFD {
  /// open(2).
  public static func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0o644) throws(SystemError) -> OwnedFD {
    let descriptor = path.withSystemPath { unsafe vb_open($0, flags.rawValue, mode) }
    guard descriptor >= 0 else { throw .current("open", path: path) }
    return OwnedFD(adopting: descriptor)
  }

  /// openat(2), relative to this directory.
  public borrowing func open(at path: String, _ flags: OpenFlags, mode: UInt32 = 0o644) throws(SystemError) -> OwnedFD {
    let descriptor = withRaw { raw in path.withSystemPath { unsafe vb_openat(raw, $0, flags.rawValue, mode) } }
    guard descriptor >= 0 else { throw .current("openat", path: path) }
    return OwnedFD(adopting: descriptor)
  }

  /// Fills the buffer from `offset` with pread(2); false when the file ends first.
  public borrowing func readFully(at offset: UInt64, into buffer: inout MutableRawSpan) throws(SystemError) -> Bool {
    var done = 0
    let total = buffer.byteCount
    let failure: SystemError? = withRaw { raw in
      unsafe buffer.withUnsafeMutableBytes { bytes in
        while done < total {
          let got = unsafe pread(raw, bytes.baseAddress?.advanced(by: done), total - done, off_t(offset) + off_t(done))
          if got < 0 {
            if Glibc.errno == EINTR { continue }
            return SystemError.current("pread")
          }
          if got == 0 { break }
          done += got
        }
        return nil
      }
    }
    if let failure { throw failure }
    return done == total
  }

  /// Reads what is in memory already from `offset` on: how many bytes that is, nil when there is nothing, or when the
  /// file system cannot tell.
  borrowing func readCached(at offset: UInt64, into buffer: inout MutableRawSpan) -> Int? {
    let total = buffer.byteCount
    let got = withRaw { raw in
      unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe vb_pread_cached(raw, bytes.baseAddress, total, Int64(offset))
      }
    }
    return got < 0 ? nil : Int(got)
  }

  /// Fills the array from `offset`; false when the file ends first.
  public borrowing func readFully(at offset: UInt64, into array: inout [UInt8]) throws(SystemError) -> Bool {
    var span = array.mutableSpan
    var bytes = unsafe span.mutableBytes
    return try readFully(at: offset, into: &bytes)
  }

  /// Reads some bytes from the current position, as many as there are and fit; 0 at the end.
  public borrowing func readSome(into array: inout [UInt8]) throws(SystemError) -> Int {
    while true {
      let got = withRaw { raw in unsafe array.withUnsafeMutableBytes { unsafe read(raw, $0.baseAddress, $0.count) } }
      if got >= 0 { return got }
      guard Glibc.errno == EINTR else { throw .current("read") }
    }
  }

  /// Reads from the current position to the end, at most `limit` bytes; nil when there are more. Of a file whose status
  /// says that it has more, no more than its first bytes are read.
  public borrowing func readToEnd(limit: Int) throws(SystemError) -> [UInt8]? {
    var bytes: [UInt8] = []
    // Most of what is read so are a few words from procfs: clearing room for more would take longer than reading.
    var chunk = [UInt8](repeating: 0, count: 512)
    while true {
      let got = withRaw { raw in unsafe chunk.withUnsafeMutableBytes { unsafe read(raw, $0.baseAddress, $0.count) } }
      if got < 0 {
        if Glibc.errno == EINTR { continue }
        throw .current("read")
      }
      if got == 0 { return bytes }
      guard bytes.count + got <= limit else { return nil }
      // Once, and of no file that ends here: what procfs and sysfs have is short, and they do not say how long it is.
      if bytes.isEmpty, got == chunk.count, chunk.count < limit {
        let status = try status()
        if status.kind == .regular, let size = Int(exactly: status.size) {
          guard size <= limit else { return nil }
          bytes.reserveCapacity(size)
        }
      }
      bytes.append(contentsOf: chunk[0..<got])
      if got == chunk.count, chunk.count < 65536 { chunk = [UInt8](repeating: 0, count: chunk.count * 4) }
    }
  }

  /// Reads a file to its end.
  ///
  /// - Parameters:
  ///   - path: where it was opened, for the error.
  ///   - limit: bytes that it may have at most.
  /// - Throws: `SystemError`; with ``SystemError/limit`` when it is larger.
  public borrowing func readToEnd(of path: String, limit: Int) throws(SystemError) -> [UInt8] {
    guard let bytes = try readToEnd(limit: limit) else { throw .tooLarge(path, limit: limit) }
    return bytes
  }

  /// Writes every byte at the current position.
  public borrowing func writeAll(_ bytes: borrowing RawSpan) throws(SystemError) {
    var done = 0
    let total = bytes.byteCount
    let failure: SystemError? = withRaw { raw in
      unsafe bytes.withUnsafeBytes { buffer in
        while done < total {
          let wrote = unsafe write(raw, buffer.baseAddress?.advanced(by: done), total - done)
          if wrote < 0 {
            if Glibc.errno == EINTR { continue }
            return SystemError.current("write")
          }
          done += wrote
        }
        return nil
      }
    }
    if let failure { throw failure }
  }

  /// Writes every byte at `offset` with pwrite(2).
  public borrowing func writeAll(_ bytes: borrowing RawSpan, at offset: UInt64) throws(SystemError) {
    var done = 0
    let total = bytes.byteCount
    let failure: SystemError? = withRaw { raw in
      unsafe bytes.withUnsafeBytes { buffer in
        while done < total {
          let position = off_t(offset) + off_t(done)
          let wrote = unsafe pwrite(raw, buffer.baseAddress?.advanced(by: done), total - done, position)
          if wrote < 0 {
            if Glibc.errno == EINTR { continue }
            return SystemError.current("pwrite")
          }
          done += wrote
        }
        return nil
      }
    }
    if let failure { throw failure }
  }

  /// fchmod(2): the permission bits as given, whatever the umask.
  public borrowing func setPermissions(_ mode: UInt32) throws(SystemError) {
    if withRaw({ fchmod($0, mode_t(mode)) }) != 0 { throw .current("fchmod") }
  }

  /// Gives the file the owner and the permission bits of another (fchown(2), fchmod(2)).
  public borrowing func takeStatus(of other: FileStatus) throws(SystemError) {
    let own = try status()
    if own.owner != other.owner || own.group != other.group {
      let user = uid_t(truncatingIfNeeded: other.owner)
      let group = gid_t(truncatingIfNeeded: other.group)
      if withRaw({ fchown($0, user, group) }) != 0 { throw .current("fchown") }
    }
    // After the owner: a change of that clears the bits for set-user-ID.
    try setPermissions(other.mode & 0o7777)
  }

  /// Copies a range of this file into another one.
  ///
  /// - Throws: `SystemError`, also with `EIO` when this file ends before the range does.
  public borrowing func copy(
    from start: UInt64, count: UInt64, to other: borrowing OwnedFD, at target: UInt64
  ) throws(SystemError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var done: UInt64 = 0
    while done < count {
      let step = Int(min(UInt64(buffer.count), count - done))
      if step < buffer.count { buffer.removeLast(buffer.count - step) }
      guard try readFully(at: start + done, into: &buffer) else { throw SystemError("pread", errno: EIO) }
      try other.writeAll(buffer.rawSpan, at: target + done)
      done += UInt64(step)
    }
  }

  /// Bytes of a regular file, as the end that lseek(2) goes to: asked often, and a fifth of what statx(2) takes.
  public borrowing func end() throws(SystemError) -> UInt64 {
    let end = withRaw { lseek($0, 0, SEEK_END) }
    guard end >= 0 else { throw .current("lseek") }
    return UInt64(end)
  }

  /// ftruncate(2).
  public borrowing func truncate(to byteCount: UInt64) throws(SystemError) {
    if withRaw({ ftruncate($0, off_t(clamping: byteCount)) }) != 0 { throw .current("ftruncate") }
  }

  /// fdatasync(2): the bytes, and what is needed to find them again.
  public borrowing func syncData() throws(SystemError) {
    if withRaw({ fdatasync($0) }) != 0 { throw .current("fdatasync") }
  }

  /// unlinkat(2): removes a file's name from this directory.
  public borrowing func remove(at name: String) throws(SystemError) {
    if withRaw({ raw in name.withSystemPath { unsafe unlinkat(raw, $0, 0) } }) != 0 {
      throw .current("unlinkat", path: name)
    }
  }

  /// renameat(2) within this directory: whatever has the new name is replaced.
  public borrowing func rename(at name: String, to other: String) throws(SystemError) {
    let result = withRaw { raw in
      name.withSystemPath { name in other.withSystemPath { unsafe renameat(raw, name, raw, $0) } }
    }
    if result != 0 { throw .current("renameat", path: name) }
  }

  /// fsync(2).
  public borrowing func sync() throws(SystemError) {
    if withRaw({ fsync($0) }) != 0 { throw .current("fsync") }
  }
}
