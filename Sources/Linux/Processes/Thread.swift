internal import Glibc

/// A thread of this process (pthreads(7)). Its end is waited for when this value goes.
@safe
struct Thread: ~Copyable {
  private let thread: pthread_t

  /// What a thread is to do, on its way there.
  private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Begins `work` on a new thread; nil where there can be none.
  init?(_ work: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(Work(work)).toOpaque()
    let started = unsafe pthread_create(&thread, nil, { unsafe runThread($0) }, context)
    guard started == 0 else {
      unsafe Unmanaged<Work>.fromOpaque(context).release()
      return nil
    }
    self.thread = thread
  }

  deinit { pthread_join(thread, nil) }

  /// Lets the thread go on by itself: its end is not waited for.
  consuming func detach() {
    pthread_detach(thread)
    discard self
  }

  fileprivate static func run(_ context: UnsafeMutableRawPointer) {
    // Released before the thread ends: who has waited for that may rely on nothing being held any more.
    unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
  }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let context = unsafe context { unsafe Thread.run(context) }
  return nil
}
