internal import CLinuxShim
internal import Glibc

/// What a run that makes things does about a signal: one table, in which each signal has its row.
///
/// A load that is under way has programs in the kernel and pins that hold them. A signal may therefore end it only where
/// everything is undone and the record says how it ended.
public enum SignalResponse: String, Sendable {
  /// A request to end: taken by a thread of its own at a moment when nothing is between being made and being on record.
  /// What was made is removed, the record is written, and the process ends by the signal.
  case undo
  /// Ignored, so that the call that caused it fails with an error (EPIPE, EFBIG), which takes the way of all errors.
  case ignore
  /// Left as it is, because it does not end the process: it stops it, lets it go on, or tells it something.
  case leave
  /// Ends the process at once: after a fault nothing in its memory can be relied on. The attempt stays open on record, and
  /// a later run closes it.
  case crash
  /// Nothing can be done about it (SIGKILL, SIGSTOP, and the two that the C library keeps for itself).
  case outOfReach

  /// What is done about a signal; nil for a number that is none.
  public static func of(_ signal: Int32) -> SignalResponse? {
    if let row = rows.first(where: { $0.signal == signal }) { return row.response }
    // A real-time signal means whatever two programs have agreed on, and ends a program that knows nothing of it.
    if signal >= firstRealTime && signal <= lastRealTime { return .undo }
    return (firstReserved..<firstRealTime).contains(signal) ? .outOfReach : nil
  }

  /// Every signal's name, as the records have it.
  public static func name(_ signal: Int32) -> String {
    rows.first { $0.signal == signal }?.name ?? "signal \(signal)"
  }

  /// The kernel's real-time signals are 32 to 64 (signal(7)), of which glibc keeps the first two to itself.
  private static let firstReserved: Int32 = 32
  private static let firstRealTime: Int32 = 34
  public static let lastRealTime: Int32 = 64

  static let rows: [(signal: Int32, name: String, response: SignalResponse)] = [
    (SIGHUP, "SIGHUP", .undo), (SIGINT, "SIGINT", .undo), (SIGQUIT, "SIGQUIT", .undo), (SIGILL, "SIGILL", .crash),
    (SIGTRAP, "SIGTRAP", .crash), (SIGABRT, "SIGABRT", .crash), (SIGBUS, "SIGBUS", .crash), (SIGFPE, "SIGFPE", .crash),
    (SIGKILL, "SIGKILL", .outOfReach), (SIGUSR1, "SIGUSR1", .undo), (SIGSEGV, "SIGSEGV", .crash),
    (SIGUSR2, "SIGUSR2", .undo), (SIGPIPE, "SIGPIPE", .ignore), (SIGALRM, "SIGALRM", .undo),
    (SIGTERM, "SIGTERM", .undo), (16, "SIGSTKFLT", .undo), (SIGCHLD, "SIGCHLD", .leave), (SIGCONT, "SIGCONT", .leave),
    (SIGSTOP, "SIGSTOP", .outOfReach), (SIGTSTP, "SIGTSTP", .leave), (SIGTTIN, "SIGTTIN", .leave),
    (SIGTTOU, "SIGTTOU", .leave), (SIGURG, "SIGURG", .leave), (SIGXCPU, "SIGXCPU", .undo),
    (SIGXFSZ, "SIGXFSZ", .ignore), (SIGVTALRM, "SIGVTALRM", .undo), (SIGPROF, "SIGPROF", .undo),
    (SIGWINCH, "SIGWINCH", .leave), (SIGIO, "SIGIO", .undo), (SIGPWR, "SIGPWR", .undo), (SIGSYS, "SIGSYS", .crash),
  ]

  /// The signals with a response.
  static func set(of response: SignalResponse) -> sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in 1...lastRealTime where of(signal) == response { unsafe sigaddset(&signals, signal) }
    return signals
  }

  /// Sees to the signals that are not waited for.
  static func prepare() {
    for row in rows {
      switch row.response {
      case .ignore: _ = Glibc.signal(row.signal, SIG_IGN)
      // Swift's runtime may have installed a handler that stops the other threads by a signal, which would be taken for a
      // request to end, and runs another program.
      case .crash: _ = Glibc.signal(row.signal, SIG_DFL)
      case .undo, .leave, .outOfReach: break
      }
    }
  }

  /// Whether the process was started so that it ignores the signal, as by nohup(1).
  static func isIgnored(_ signal: Int32) -> Bool {
    vb_signal_is_ignored(signal) == 1
  }

  /// Waits for a signal that ends the process. It does not return.
  ///
  /// Not `Never`, so that what the caller holds is held meanwhile.
  public static func waitForEnd() { while true { pause() } }

  /// Ends the process by a signal, as if nothing had been done about it.
  static func end(by signal: Int32) {
    _ = Glibc.signal(signal, SIG_DFL)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    kill(getpid(), signal)
  }
}

extension ProcessImage {
  /// Ends the process as a reader that went away ends any other tool: by SIGPIPE.
  public static func endByBrokenPipe() -> Never {
    SignalResponse.end(by: SIGPIPE)
    exit(128 + SIGPIPE)
  }
}
