public import Base
internal import Glibc
internal import Synchronization

/// A file, opened read-only, as a ``Base/ByteSource``: every read copies into the caller's memory.
///
/// Several threads may read at a time: each read names its own offset.
public struct FileSource: ByteSource, ~Copyable, Sendable {
  public let descriptor: OwnedFD
  public let byteCount: UInt64
  private let coldness = Coldness()

  /// Whether something had to be waited for. Until then nothing is fetched ahead: walking the page cache for what is
  /// in it takes a thirtieth of the time of hashing it. (A class, because Swift 6.3 cannot switch over an optional
  /// whose value holds an atomic.)
  private final class Coldness: Sendable {
    let isCold = Atomic<Bool>(false)
  }

  /// Wraps an open regular file or block device of known size.
  public init(_ descriptor: consuming OwnedFD, byteCount: UInt64) {
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  /// Wraps an open regular file or block device of its present size.
  public init(_ descriptor: consuming OwnedFD) throws(SystemError) {
    let size = try descriptor.contentSize()
    self.init(descriptor, byteCount: size)
  }

  /// Opens a regular file or block device by path.
  public static func open(_ path: String) throws(SystemError) -> FileSource {
    try FileSource(OwnedFD.open(path, .readOnly))
  }

  public func willRead(at offset: UInt64, byteCount: UInt64) {
    guard coldness.isCold.load(ordering: .relaxed), let start = off_t(exactly: offset),
      let count = off_t(exactly: byteCount)
    else { return }
    _ = descriptor.withRaw { posix_fadvise($0, start, count, POSIX_FADV_WILLNEED) }
  }

  public func read(at offset: UInt64, into buffer: inout MutableRawSpan) throws(ByteSourceError) {
    let needed = buffer.byteCount
    guard offset <= byteCount, UInt64(needed) <= byteCount - offset else {
      throw .endOfSource(offset: offset, needed: needed, byteCount: byteCount)
    }
    if !coldness.isCold.load(ordering: .relaxed) {
      let cached = descriptor.readCached(at: offset, into: &buffer)
      if cached == needed { return }
      if cached == nil { coldness.isCold.store(true, ordering: .relaxed) }
    }
    let complete: Bool
    do throws(SystemError) {
      complete = try descriptor.readFully(at: offset, into: &buffer)
    } catch {
      throw .system(offset: offset, reason: error.description)
    }
    // The file was shortened since it was opened.
    guard complete else { throw .endOfSource(offset: offset, needed: needed, byteCount: byteCount) }
  }
}
