internal import CLinuxShim
internal import Glibc

extension OwnedFD {
  /// Waits for the exclusive lock of the open file (flock(2)). It is let go when the last descriptor of it closes,
  /// also when the process is killed.
  public borrowing func lockExclusively() throws(SystemError) {
    while withRaw({ vb_lock_exclusive($0) }) != 0 {
      guard Glibc.errno == EINTR else { throw .current("flock") }
    }
  }

  /// Takes the same lock when no other open file has it; false when one has.
  public borrowing func tryLockExclusively() throws(SystemError) -> Bool {
    while withRaw({ vb_lock_exclusive_now($0) }) != 0 {
      if Glibc.errno == EWOULDBLOCK { return false }
      guard Glibc.errno == EINTR else { throw .current("flock") }
    }
    return true
  }

  /// Waits for the same lock, but not for ever: a process that was stopped may hold it.
  ///
  /// - Throws: `SystemError`; EWOULDBLOCK when it was not free for so many seconds.
  public borrowing func lockExclusively(within seconds: Double) throws(SystemError) {
    let waiting = Stopwatch()
    while try !tryLockExclusively() {
      guard waiting.seconds < seconds else { throw SystemError("flock", errno: EWOULDBLOCK) }
      Timestamp.pause(milliseconds: 1)
    }
  }

  /// Lets the lock go.
  public borrowing func unlock() { _ = withRaw { vb_unlock($0) } }
}
