internal import CLinuxShim
internal import Glibc
internal import Synchronization

/// The machine's processors.
public enum Processors {
  /// How many are online (sysconf(3)); at least one.
  public static var online: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

  /// Does `work` on several threads, and returns when all have ended.
  ///
  /// A new thread often starts on the processor of the one that made it, and the kernel takes milliseconds to notice
  /// that another has nothing to do: longer than many an image takes. So each thread moves itself to a processor of its
  /// own, and may be moved again from there.
  ///
  /// - Parameter work: called with the numbers below `threads`, each by a thread of its own where there are so many.
  public static func share(_ threads: Int, _ work: @Sendable (Int) -> Void) {
    guard threads > 1 else { return work(0) }
    withoutActuallyEscaping(work) { work in
      let shared = SharedWork(home: vb_processor(), work: work)
      let context = unsafe Unmanaged.passUnretained(shared).toOpaque()
      var started: [pthread_t] = []
      while started.count < threads - 1 {
        var thread = pthread_t()
        guard unsafe pthread_create(&thread, nil, sharedWorkThread, context) == 0 else { break }
        started.append(thread)
      }
      // This thread does the first share, and those for which there was no thread.
      work(0)
      for number in started.count + 1..<max(threads, started.count + 1) { work(number) }
      for thread in started { pthread_join(thread, nil) }
      // The threads have let go of it, and of `work` with it.
      withExtendedLifetime(shared) {}
    }
  }
}

/// What the threads of one ``Processors/share(_:_:)`` have in common.
private final class SharedWork: Sendable {
  private let home: Int32
  private let work: @Sendable (Int) -> Void
  private let others = Atomic<Int>(0)

  init(home: Int32, work: @escaping @Sendable (Int) -> Void) {
    self.home = home
    self.work = work
  }

  /// One of the other threads.
  func take() {
    let number = others.add(1, ordering: .relaxed).newValue
    _ = vb_move_thread(home, UInt32(number))
    work(number)
  }
}

private func sharedWorkThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context = unsafe context else { return nil }
  unsafe Unmanaged<SharedWork>.fromOpaque(context).takeUnretainedValue().take()
  return nil
}
