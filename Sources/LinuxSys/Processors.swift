internal import CLinuxShim
internal import Dispatch
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
    let caller = pthread_self()
    let home = vb_processor()
    let others = Atomic<UInt32>(0)
    DispatchQueue.concurrentPerform(iterations: threads) { number in
      if pthread_equal(pthread_self(), caller) == 0 {
        _ = vb_move_thread(home, others.add(1, ordering: .relaxed).newValue)
      }
      work(number)
    }
  }
}
