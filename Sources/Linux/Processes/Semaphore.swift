internal import Glibc

/// A counting semaphore (sem_overview(7)): what one thread waits for and another says.
@safe
public final class Semaphore: Sendable {
  // Made once, freed with the object, and in between only handed to functions that any thread may call.
  private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

  /// Nothing has been said yet.
  public init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe semaphore.initialize(to: sem_t())
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  /// Returns as soon as ``signal()`` was called once more than it returned before.
  public func wait() {
    // A signal's handler can interrupt it.
    while unsafe sem_wait(semaphore) != 0, errno == EINTR {}
  }

  /// Waits so long at most, by a clock that can be set: for waits that are short and many.
  ///
  /// - Returns: whether ``signal()`` was called.
  func wait(milliseconds: Int) -> Bool {
    var end = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &end)
    let nanoseconds = end.tv_nsec + milliseconds % 1000 * 1_000_000
    end.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
    end.tv_nsec = nanoseconds % 1_000_000_000
    while unsafe sem_timedwait(semaphore, &end) != 0 {
      guard errno == EINTR else { return false }
    }
    return true
  }

  /// Lets one ``wait()`` return.
  public func signal() { unsafe sem_post(semaphore) }
}
