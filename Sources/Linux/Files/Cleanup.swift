internal import Base
internal import Glibc
internal import Synchronization

/// What is to be undone when the process is told to stop, so that an interrupted run leaves nothing half-made: paths to
/// remove, and whatever else takes a call.
public enum Cleanup {
  private static let pending = Mutex<[String]>([])
  private static let actions = Mutex(Actions())
  private static let gate = Mutex(())

  private struct Actions {
    var next = 0
    var all: [(number: Int, action: @Sendable (Int32) -> Void)] = []
  }

  /// Something that is called when the process is told to stop, until it is forgotten.
  public struct Undo: Sendable {
    fileprivate let number: Int
  }

  /// Does what a termination must not come into the middle of: what is made stays, and that it stays is put on record.
  public static func uninterrupted<R: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    try gate.withLock { _ throws(Failure) in try body() }
  }

  /// Makes something that is no path, and remembers how to undo it; no termination can come between the two.
  ///
  /// - Parameter undo: called with the signal. It uses nothing of `Cleanup`, which is locked then.
  public static func making<Failure: Error>(
    undo: @escaping @Sendable (Int32) -> Void, _ make: () throws(Failure) -> Void
  ) throws(Failure) -> Undo {
    try actions.withLock { actions throws(Failure) in
      try make()
      actions.next += 1
      actions.all.append((actions.next, undo))
      return Undo(number: actions.next)
    }
  }

  /// Forgets what is to stay, or was undone.
  public static func forget(_ undo: Undo) {
    actions.withLock { actions in actions.all.removeAll { $0.number == undo.number } }
  }

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

  /// From now on a signal that would end the process is answered as ``SignalResponse`` says: what is registered is
  /// removed and undone, then the process ends as the signal would have it.
  ///
  /// The signals are blocked in every thread and taken by one thread of their own, so the removal runs as ordinary
  /// code. Called once, before other threads start.
  public static func onTermination() {
    SignalResponse.prepare()
    var signals = requests()
    guard unsafe pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
    switch Thread({ [signals] in waitForTermination(signals) }) {
    case .some(let thread): thread.detach()
    case nil: unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
  }

  /// The signals that ask for the end. One that the process was started to ignore asks for nothing; it would be taken
  /// all the same, because the kernel keeps a blocked signal even when it is ignored.
  private static func requests() -> sigset_t {
    var signals = SignalResponse.set(of: .undo)
    for signal in 1...SignalResponse.lastRealTime
    where SignalResponse.of(signal) == .undo && SignalResponse.isIgnored(signal) {
      unsafe sigdelset(&signals, signal)
    }
    return signals
  }

  /// Removes and undoes everything that is registered, then ends the process by that signal.
  ///
  /// No lock is ever released: a thread that wants to make another temporary file waits for the end.
  fileprivate static func end(by signal: CInt) {
    gate.withLock { _ in
      pending.withLock { paths in
        for path in paths {
          // Under another name first: what other threads are still writing below the old one then fails, instead of
          // filling a directory that is being emptied. A file that was being opened just then needs a second round.
          let doomed = "\(path).removed"
          let isMoved = path.withSystemPath { path in doomed.withSystemPath { unsafe rename(path, $0) } } == 0
          let present = isMoved ? doomed : path
          for _ in 0..<16 where (try? FileStatus.of(path: present, followLinks: false)) != nil { removeTree(present) }
        }
        actions.withLock { actions in
          // The last first: the record, which was begun before anything was made, is written when all is undone.
          for entry in actions.all.reversed() { entry.action(signal) }
          SignalResponse.end(by: signal)
        }
      }
    }
  }

  /// Removes a file, or a directory and everything below it, without following symbolic links.
  public static func removeTree(_ path: String) {
    if path.withSystemPath({ unsafe unlink($0) }) == 0 || Glibc.errno == ENOENT { return }
    // A directory without write permission is emptied only after that is changed; never through a symbolic link.
    if let status = try? FileStatus.of(path: path, followLinks: false), status.kind == .directory {
      _ = path.withSystemPath { unsafe chmod($0, 0o700) }
    }
    if let names = try? Directory.names(path) {
      for name in names { removeTree("\(path)/\(name)") }
    }
    _ = path.withSystemPath { unsafe rmdir($0) }
  }
}

/// Waits for a termination signal on a thread of its own.
private func waitForTermination(_ requests: sigset_t) {
  var signals = requests
  var received: CInt = 0
  guard unsafe sigwait(&signals, &received) == 0 else { return }
  Cleanup.end(by: received)
}
