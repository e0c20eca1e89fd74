public import Base
internal import CLinuxShim
internal import Glibc

/// The machine's processors.
public enum Processors {
  /// How many are online (sysconf(3)); at least one.
  public static var online: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

  /// So many threads, as ``share(_:_:)`` makes them.
  public static func threads(_ count: Int = online) -> Threads { Threads(count, share: share) }

  /// Does `work` on several threads, and returns when all have ended.
  ///
  /// A new thread often starts on the processor of the one that made it, and the kernel takes milliseconds to notice
  /// that another has nothing to do: longer than many an image takes. So each thread moves itself to a processor of its
  /// own, and may be moved again from there.
  ///
  /// - Parameter work: called with the numbers below `threads`, each by a thread of its own where there are so many.
  public static func share(_ threads: Int, _ work: @Sendable (Int) -> Void) {
    guard threads > 1 else { return work(0) }
    withoutActuallyEscaping(work) { work in share(1..<threads, home: vb_processor(), work) }
  }

  /// Does the work of these numbers on threads of their own, and that of 0 on this one.
  private static func share(_ numbers: Range<Int>, home: Int32, _ work: @escaping @Sendable (Int) -> Void) {
    guard let number = numbers.first else { return work(0) }
    let thread = Thread {
      _ = vb_move_thread(home, UInt32(number))
      work(number)
    }
    share(numbers.dropFirst(), home: home, work)
    // This thread does what there was no thread for. The other is waited for when it goes, here.
    if thread == nil { work(number) }
  }
}
