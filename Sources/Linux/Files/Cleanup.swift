internal import Glibc
internal import Synchronization

/// Paths to remove when the process is told to stop, so that an interrupted run leaves nothing half-made.
public enum Cleanup {
  private static let pending = Mutex<[String]>([])

  /// Makes a temporary file or directory and remembers it; no termination can come between the two.
  ///
  /// - Parameter make: returns the path of what it made, or nil.
  static func register(_ make: () -> String?) -> String? {
    pending.withLock { paths in
      guard let path = make() else { return nil }
      paths.append(path)
      return path
    }
  }

  /// Makes something under a path that is known beforehand and remembers it; no termination can come between the two.
  public static func making<Failure: Error>(
    _ path: String, _ make: () throws(Failure) -> Void
  ) throws(Failure) {
    try pending.withLock { paths throws(Failure) in
      try make()
      paths.append(path)
    }
  }

  /// Removes a temporary file now and forgets it; nothing happens when it is gone already.
  ///
  /// It is forgotten only when it is gone: a termination that comes meanwhile goes on with the removal.
  public static func remove(_ path: String) {
    guard pending.withLock({ $0.contains(path) }) else { return }
    removeTree(path)
    pending.withLock { paths in
      if let index = paths.firstIndex(of: path) { paths.remove(at: index) }
    }
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
    switch Thread({ waitForTermination() }) {
    case .some(let thread): thread.detach()
    case nil: unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
  }

  /// Removes everything that is registered, then ends the process by that signal.
  ///
  /// The lock is never released: a thread that wants to make another temporary file waits for the end.
  fileprivate static func end(by signal: CInt) {
    pending.withLock { paths in
      for path in paths {
        // Under another name first: what other threads are still writing below the old one then fails, instead of
        // filling a directory that is being emptied. A file that was being opened just then needs a second round.
        let doomed = "\(path).removed"
        let present = unsafe rename(path, doomed) == 0 ? doomed : path
        for _ in 0..<16 where (try? FileStatus.of(path: present, followLinks: false)) != nil { removeTree(present) }
      }
      var signals = sigset_t()
      unsafe sigemptyset(&signals)
      unsafe sigaddset(&signals, signal)
      _ = Glibc.signal(signal, SIG_DFL)
      unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      kill(getpid(), signal)
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
private func waitForTermination() {
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
  var received: CInt = 0
  guard unsafe sigwait(&signals, &received) == 0 else { return }
  Cleanup.end(by: received)
}
