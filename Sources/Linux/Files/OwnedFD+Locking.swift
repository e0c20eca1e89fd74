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
}
