internal import CLinuxShim

/// A thread that has the kernel write to the disk what is in a file: it waits whenever the disk's queue is full, which
/// nobody else should.
public struct Writeback: ~Copyable {
  /// nil where no thread could be made, and then nothing is written ahead.
  private let thread: Thread?

  fileprivate init(_ descriptor: consuming OwnedFD) {
    let raw = descriptor.release()
    thread = Thread { OwnedFD(adopting: raw).withRaw { _ = vb_begin_sync($0) } }
    if thread == nil { _ = OwnedFD(adopting: raw) }
  }

  /// Returns when everything is on its way to the disk.
  public consuming func wait() {}
}

extension OwnedFD {
  /// Has the kernel begin to write to the disk what was written so far (sync_file_range(2)), so that ``sync()`` waits
  /// less. Nothing is promised, and where it cannot be done nothing is lost.
  public borrowing func beginSync() -> Writeback? {
    guard let descriptor = try? duplicate() else { return nil }
    return Writeback(descriptor)
  }
}
