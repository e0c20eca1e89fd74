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

  /// Lets one ``wait()`` return.
  public func signal() { unsafe sem_post(semaphore) }
}
