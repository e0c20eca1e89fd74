internal import CLinuxShim
internal import Glibc

/// A thread that has the kernel write to the disk what is in a file: it waits whenever the disk's queue is full, which
/// nobody else should.
public struct Writeback: ~Copyable {
  /// nil where no thread could be made, and then nothing is written ahead.
  private let thread: pthread_t?

  fileprivate init(_ descriptor: consuming OwnedFD) {
    let raw = descriptor.release()
    var thread = pthread_t()
    let context = unsafe UnsafeMutableRawPointer(bitPattern: UInt(raw) + 1)
    if unsafe pthread_create(&thread, nil, writebackThread, context) == 0 {
      self.thread = thread
    } else {
      self.thread = nil
      _ = OwnedFD(adopting: raw)
    }
  }

  /// Returns when everything is on its way to the disk.
  public consuming func wait() {}

  deinit { if let thread { pthread_join(thread, nil) } }
}

private func writebackThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  let descriptor = OwnedFD(adopting: Int32(truncatingIfNeeded: UInt(bitPattern: context) - 1))
  _ = descriptor.withRaw { vb_begin_sync($0) }
  return nil
}

extension OwnedFD {
  /// Has the kernel begin to write to the disk what was written so far (sync_file_range(2)), so that ``sync()`` waits
  /// less. Nothing is promised, and where it cannot be done nothing is lost.
  public borrowing func beginSync() -> Writeback? {
    guard let descriptor = try? duplicate() else { return nil }
    return Writeback(descriptor)
  }
}
