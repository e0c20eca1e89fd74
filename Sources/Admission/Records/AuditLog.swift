internal import KernelABI
internal import Base
internal import Linux
internal import Synchronization

/// The audit directory: `audit.log` in IPE's text form, and `audit.jsonl`, one JSON object a line.
///
/// A record is one write(2) to a file opened for appending, so records of processes that run side by side do not mix.
/// A record that cannot be written is an error, and an error before the load means that nothing is loaded.
final class AuditLog: Sendable {
  private let text: OwnedFD
  private let objects: OwnedFD
  private let newest = Mutex(Timestamp(seconds: 0, nanoseconds: 0))

  private init(text: consuming OwnedFD, objects: consuming OwnedFD) {
    self.text = text
    self.objects = objects
  }

  /// Opens the directory's files, making directory and files when they are missing: for their owner alone.
  static func open(directory: String) throws(SystemError) -> AuditLog {
    do throws(SystemError) {
      return try AuditLog(in: directory)
    } catch {
      guard error.code == .enoent else { throw error }
    }
    do throws(SystemError) {
      try Directory.create(directory, mode: 0o700)
    } catch {
      guard error.code == .eexist else { throw error }
    }
    return try AuditLog(in: directory)
  }

  private convenience init(in directory: String) throws(SystemError) {
    func open(_ path: String) throws(SystemError) -> OwnedFD {
      try OwnedFD.open(path, [.writeOnly, .create, .append, .noFollow], mode: 0o600)
    }
    self.init(text: try open("\(directory)/audit.log"), objects: try open("\(directory)/audit.jsonl"))
  }

  /// A name for what happens to one object: the moment and the process. Two threads may ask in one nanosecond, and get
  /// two moments nevertheless.
  func event(of process: Int32) -> String {
    let moment = newest.withLock { newest in
      let now = Timestamp.now()
      if now == newest {
        newest = Timestamp(seconds: now.seconds, nanoseconds: now.nanoseconds + 1)
      } else {
        newest = now
      }
      return newest
    }
    return "\(moment.seconds).\(moment.nanoseconds)-\(process)"
  }

  /// Writes the decision in both forms.
  func write(_ record: DecisionRecord) throws(SystemError) {
    let line = record.text(serial: UInt64(clamping: record.requester.pid)) + "\n"
    try text.writeAll(Array(line.utf8).rawSpan)
    try append(record.json(.decision))
  }

  /// Writes what became of a decision.
  func write(_ outcome: JSONValue, of record: DecisionRecord) throws(SystemError) {
    try append(record.json(.outcome(outcome)))
  }

  private func append(_ value: JSONValue) throws(SystemError) {
    var line = value.compactUTF8
    line.append(UInt8(ascii: "\n"))
    try objects.writeAll(line.rawSpan)
  }
}
