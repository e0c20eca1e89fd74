internal import Base
internal import KernelABI
internal import Linux
internal import Synchronization
public import Trust

/// The audit directory: `audit.log` in IPE's text form, and `audit.jsonl`, one JSON object a line.
///
/// A record is written under a lock, and is whole or not there; what a short write has left is taken back. A record that
/// cannot be written is an error, and an error before the load means that nothing is loaded.
///
/// The lock is flock(2) on a file of its own, `audit.lock`: rotation, which gives the logs other files, leaves it alone; it
/// goes with the process, however that ends; and nobody else can open it to hold a load up. A lock of an open file
/// description (fcntl(2), F_OFD_SETLK) would do the same, but for readers, who could hold it as well.
public final class AuditLog: Sendable {
  /// Lines for each of the two files; both are written, or none.
  struct Lines {
    var text: [UInt8] = []
    var objects: [UInt8] = []

    mutating func add(text line: String) {
      text += line.utf8
      text.append(UInt8(ascii: "\n"))
    }

    mutating func add(_ object: JSONValue) {
      objects += object.compactUTF8
      objects.append(UInt8(ascii: "\n"))
    }
  }

  let path: String
  private let sync: AuditSync
  private let state: Mutex<State>

  private struct State: ~Copyable {
    let directory: AuditDirectory
    var lock: OwnedFD
    var text: AuditFile
    var objects: AuditFile
    var marker: RunMarker?
    /// When a name in the directory was changed last, and the files had theirs after that.
    var settled: Timestamp?
    /// The run, and the events of its attempts that are open.
    var run: AskedRun?
    var open: Set<String> = []
    var undo: Cleanup.Undo?
    /// The runs that were closed as crashed when the log was opened.
    var crashed: [CrashedRun] = []
    /// Whether a signal has ended the run.
    var hasEnded = false
  }

  static let lockName = "audit.lock"
  static let textName = "audit.log"
  static let objectsName = AuditLogFiles.name
  /// The directory of the verifier's newest logs.
  static let verifierLogsName = "verifier-logs"
  /// Longer than any other run takes for one record; a process that was stopped may hold the lock for ever.
  static let patience = 10.0

  /// Opens the log, making directory and files when they are missing, and closes the attempts of runs that have crashed.
  ///
  /// - Throws: ``AuditError``. What cannot be recorded is not begun.
  public static func open(directory path: String, sync: AuditSync) throws(AuditError) -> AuditLog {
    let directory = try AuditDirectory.open(path)
    let lock = try Self.openLock(directory)
    let text = try AuditFile.open(textName, in: directory)
    let objects = try AuditFile.open(objectsName, in: directory)
    let log = AuditLog(
      path: path, sync: sync, State(directory: directory, lock: lock, text: text, objects: objects))
    try log.closeCrashedRuns()
    return log
  }

  private init(path: String, sync: AuditSync, _ state: consuming State) {
    self.path = path
    self.sync = sync
    self.state = Mutex(state)
  }

  deinit {
    state.withLock { state in
      if let undo = state.undo { Cleanup.forget(undo) }
      // With an attempt open the marker stays, and a later run closes it.
      if state.open.isEmpty { Self.removeMarker(&state) }
    }
  }

  /// The runs that this one found crashed when it opened the log, and closed.
  public var crashedRuns: [CrashedRun] { state.withLock { $0.crashed } }

  /// Only its owner may lock the file: with it, others could keep every load from being recorded.
  private static func openLock(_ directory: borrowing AuditDirectory) throws(AuditError) -> OwnedFD {
    let lock = try directory.open(lockName)
    let mode = try AuditDirectory.recording(in: directory.path) { () throws(SystemError) in try lock.status().mode }
    guard mode & 0o077 == 0 else {
      throw .place(
        path: "\(directory.path)/\(lockName)", expected: "a regular file that only its owner may open",
        found: "mode \(String(mode, radix: 8))")
    }
    return lock
  }

  /// Does something while no other process writes to the log.
  private func locked<R: ~Copyable>(
    _ body: (inout State) throws(AuditError) -> R
  ) throws(AuditError) -> R {
    try state.withLock { (state) throws(AuditError) -> R in
      // The thread that ends the process has written the last record.
      guard !state.hasEnded else { throw .unwritable(directory: path, SystemError("write", .ecanceled)) }
      try Self.acquire(&state)
      defer { state.lock.unlock() }
      return try body(&state)
    }
  }

  private static func acquire(_ state: inout State) throws(AuditError) {
    do throws(SystemError) {
      try state.lock.lockExclusively(within: patience)
    } catch {
      guard error.code == .ewouldblock else { throw .unwritable(directory: state.directory.path, error) }
      throw .busy(path: "\(state.directory.path)/\(lockName)", seconds: patience)
    }
  }

  /// Where the files end.
  ///
  /// Whether they have their names still is asked where a name in the directory was changed since it was asked last: a
  /// look at the directory takes a tenth of the time that following two names takes.
  private static func ends(_ state: inout State) throws(AuditError) -> (text: UInt64, objects: UInt64) {
    let path = state.directory.path
    let change = try AuditDirectory.recording(in: path) { () throws(SystemError) in
      try state.directory.descriptor.changeTime()
    }
    if change == state.settled {
      return (try state.text.end(in: state.directory), try state.objects.end(in: state.directory))
    }
    // Two changes in one tick of the clock look like one, so that a change is only relied on when it is older than that.
    state.settled = Timestamp.now().nanoseconds(since: change) > settlingTime ? change : nil
    let text = try state.text.place(in: state.directory)
    let objects = try state.objects.place(in: state.directory)
    // Who removed the files may have removed the lock too, and then others lock the one that is there now.
    guard text.isReplaced || objects.isReplaced,
      try AuditDirectory.recording(in: path, { () throws(SystemError) in try state.lock.status().linkCount }) == 0
    else { return (text.size, objects.size) }
    state.lock = try openLock(state.directory)
    try acquire(&state)
    return try ends(&state)
  }

  /// Nanoseconds: more than the longest tick (CONFIG_HZ=100).
  private static let settlingTime: Int64 = 30_000_000

  /// Appends records.
  ///
  /// - Parameters:
  ///   - closes: the attempts that they end.
  ///   - isAction: whether something is done as soon as they are written: then ``AuditSync/decision`` waits for them.
  func append(_ lines: Lines, closes events: [String] = [], isAction: Bool = false) throws(AuditError) {
    try locked { (state) throws(AuditError) in
      try write(lines, &state, isAction: isAction)
      state.open.subtract(events)
    }
  }

  /// Appends one line to the text form: a record about policies. It is on the disk before the change is made, which
  /// outlives the machine's next stop.
  public func append(text line: String) throws(AuditError) {
    var lines = Lines()
    lines.add(text: line)
    try locked { (state) throws(AuditError) in try write(lines, &state, isAction: true) }
  }

  /// Begins a run: its attempts are on record, and a later run closes those that this one leaves open.
  func begin(_ run: AskedRun) throws(AuditError) {
    let lines = run.lines(at: .now())
    // No signal comes between the records and the promise to close them.
    let undo = try Cleanup.making(undo: { [weak self] signal in self?.end(by: signal) }) { () throws(AuditError) in
      try locked { (state) throws(AuditError) in
        let place = try state.objects.place(in: state.directory)
        let name = RunName(
          run: run.name, startTime: run.requester.startTime, bootID: run.bootID,
          namespace: ProcessIdentity.namespace(), inode: place.inode, offset: place.size)
        state.marker = try RunMarker.make(name, in: state.directory)
        do throws(AuditError) {
          try write(lines, &state, isAction: true)
        } catch {
          Self.removeMarker(&state)
          throw error
        }
        state.run = run
        state.open = Set(run.events)
      }
    }
    state.withLock { $0.undo = undo }
  }

  /// Records that attempts of the run have ended whose turn never came.
  func close(unbegun events: [String]) throws(AuditError) {
    guard !events.isEmpty else { return }
    try locked { (state) throws(AuditError) in try close(events, .notBegun, &state) }
  }

  /// Records that a signal ended the run. What cannot be recorded now, a later run records as crashed.
  private func end(by signal: Int32) {
    try? locked { (state) throws(AuditError) in
      defer { state.hasEnded = true }
      try close(state.open.sorted(), .interrupted(signal), &state)
      Self.removeMarker(&state)
    }
  }

  private func close(
    _ events: [String], _ ending: AttemptEnding, _ state: inout State
  ) throws(AuditError) {
    var lines = Lines()
    for event in events where state.open.contains(event) {
      if let attempt = state.run?.record(of: event) { ending.add(to: &lines, event: event, attempt: attempt) }
    }
    try write(lines, &state, isAction: false)
    state.open.subtract(events)
  }

  private func write(_ lines: Lines, _ state: inout State, isAction: Bool) throws(AuditError) {
    let ends = try Self.ends(&state)
    try state.text.append(lines.text, at: ends.text, in: state.directory)
    do throws(AuditError) {
      try state.objects.append(lines.objects, at: ends.objects, in: state.directory)
      let waits =
        switch sync {
        case .none: false
        case .decision: isAction
        case .always: true
        }
      guard waits else { return }
      do throws(SystemError) {
        if !lines.text.isEmpty { try state.text.sync(in: state.directory) }
        if !lines.objects.isEmpty { try state.objects.sync(in: state.directory) }
      } catch {
        state.objects.takeBack()
        throw .unwritable(directory: path, error)
      }
    } catch {
      state.text.takeBack()
      throw error
    }
  }

  private static func removeMarker(_ state: inout State) {
    guard let marker = state.marker.take() else { return }
    marker.retire(in: state.directory)
  }

  // MARK: - Runs that have crashed

  /// Records the end of the attempts whose run ended without doing so. What cannot be closed now stays for a later run.
  private func closeCrashedRuns() throws(AuditError) {
    guard let names = try? Directory.names(path) else { return }
    let runs = names.compactMap { RunName(fileName: $0) }
    guard !runs.isEmpty else { return }
    let ended = state.withLock { state in RunMarker.ended(runs, in: state.directory) }
    guard !ended.isEmpty else { return }
    try locked { (state) throws(AuditError) in
      for run in ended {
        // Another run may have closed it meanwhile.
        guard try state.directory.status(run.fileName) != nil else { continue }
        let attempts = OpenAttempts.read(of: run, in: state.directory)
        let crashed = attempts.crashedRun(run)
        do throws(AuditError) {
          try write(attempts.closingLines(of: run, left: crashed), &state, isAction: false)
        } catch {
          continue
        }
        state.crashed.append(crashed)
        try? state.directory.descriptor.remove(at: run.fileName)
      }
    }
  }
}
