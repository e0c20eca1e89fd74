internal import Glibc
internal import Synchronization

/// Paths to remove when the process is told to stop, so that an interrupted run leaves nothing half-made.
public enum Cleanup {
  private static let pending = Mutex<[String]>([])

  /// Remembers a temporary file or directory of this process.
  public static func register(_ path: String) {
    pending.withLock { $0.append(path) }
  }

  /// Removes a temporary file now and forgets it; nothing happens when it is gone already.
  public static func remove(_ path: String) {
    let known = pending.withLock { paths in
      guard let index = paths.firstIndex(of: path) else { return false }
      paths.remove(at: index)
      return true
    }
    if known { removeTree(path) }
  }

  /// Forgets a path that is to stay.
  public static func forget(_ path: String) {
    pending.withLock { paths in paths.removeAll { $0 == path } }
  }

  /// From now on SIGINT, SIGTERM and SIGHUP remove what is registered, then end the process as the signal would.
  ///
  /// The signals are blocked in every thread and taken by one thread of their own, so the removal runs as ordinary
  /// code. Called once, before other threads start.
  public static func onTermination() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
    guard unsafe pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
    var thread = pthread_t()
    let started = unsafe pthread_create(&thread, nil, { _ in unsafe cleanupThread() }, nil)
    if started != 0 { unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  fileprivate static func removeAll() {
    for path in pending.withLock({ $0 }) {
      // Under another name first: what other threads are still writing below the old one then fails at once, instead
      // of filling a directory that is being emptied.
      let doomed = "\(path).removed"
      removeTree(unsafe rename(path, doomed) == 0 ? doomed : path)
    }
  }

  /// Removes a file, or a directory and everything below it, without following symbolic links.
  public static func removeTree(_ path: String) {
    if unsafe unlink(path) == 0 || Glibc.errno == ENOENT { return }
    // A directory without write permission is emptied only after that is changed; never through a symbolic link.
    if let status = try? FileStatus.of(path: path, followLinks: false), status.kind == .directory {
      _ = unsafe chmod(path, 0o700)
    }
    if let names = try? Directory.names(path) {
      for name in names { removeTree("\(path)/\(name)") }
    }
    _ = unsafe rmdir(path)
  }
}

/// Waits for a termination signal on a thread of its own.
private func cleanupThread() -> UnsafeMutableRawPointer? {
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
  var received: CInt = 0
  guard unsafe sigwait(&signals, &received) == 0 else { return nil }
  Cleanup.removeAll()
  signal(received, SIG_DFL)
  unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  kill(getpid(), received)
  return nil
}
