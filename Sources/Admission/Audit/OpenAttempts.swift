internal import Base
internal import Linux
internal import Workbench

/// The attempts of a run that crashed, of which the log does not say how they ended.
struct OpenAttempts {
  /// The records, in their order.
  private var attempts: [(event: String, record: JSONValue)] = []
  private var ended: Set<String> = []
  /// Whether the file is there, and could be read, that its attempts were to be written to. It may have been killed before
  /// they were.
  private var isFileRead = false

  /// Reads what the log says of a run. A rotation may have come in between, and may have compressed what it says.
  static func read(of run: RunName, in directory: borrowing AuditDirectory) -> OpenAttempts {
    var found = OpenAttempts()
    let start = Array(run.run.utf8)
    let files = (try? AuditLogFiles.list(directory.path))?.oldestFirst ?? []
    for path in files {
      let offset = run.offset(in: path)
      if (try? found.read(path, from: offset ?? 0, run: start)) != nil, offset != nil { found.isFileRead = true }
    }
    return found
  }

  private mutating func read(_ path: String, from offset: UInt64, run: [UInt8]) throws(AuditReadError) {
    let file = try AuditLogFile.open(path)
    var lines = try file.forwards(from: offset)
    while let line = try lines.next() {
      if case .line(let bytes) = line { take(bytes, run: run) }
    }
  }

  private mutating func take(_ line: [UInt8], run: [UInt8]) {
    // Most lines are of other runs, and are not parsed. One that was cut is no record.
    guard line.rawSpan.firstOffset(of: run.rawSpan) != nil, let record = try? JSONValue.parse(line),
      case .string(let event)? = record["event"], event.utf8.starts(with: run)
    else { return }
    switch StatedStage(of: record) {
    case .known(.attempt): attempts.append((event, record))
    case .known(.outcome): ended.insert(event)
    // A denial is the end: nothing is done.
    case .known(.decision): if record["decision"] == "deny" { ended.insert(event) }
    case .unknown, .missing: break
    }
  }

  /// What is recorded of the attempts that are open.
  func closingLines(of run: RunName) -> AuditLog.Lines {
    var lines = AuditLog.Lines()
    for (event, record) in attempts where !ended.contains(event) {
      AttemptEnding.crashed.add(to: &lines, event: event, attempt: record)
    }
    if attempts.isEmpty, !isFileRead {
      // The attempts are in a file that was taken away: the run alone can be named.
      AttemptEnding.crashed.add(to: &lines, event: run.run, attempt: .object([]))
    }
    return lines
  }
}

extension RunName {
  /// Where its records begin, with its attempts, in the file that was written to then; nil for another file.
  fileprivate func offset(in path: String) -> UInt64? {
    guard let status = try? FileStatus.of(path: path, followLinks: false), status.inode == inode,
      status.size >= offset
    else { return nil }
    return offset
  }
}
