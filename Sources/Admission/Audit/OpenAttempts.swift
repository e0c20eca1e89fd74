internal import Base
internal import Linux
internal import Workbench

/// The attempts of a run that crashed, of which the log does not say how they ended.
struct OpenAttempts {
  /// The records, in their order.
  private var attempts: [(event: String, record: JSONValue)] = []
  private var ended: Set<String> = []
  /// Whether the file that they were written to is still there, and could be read.
  private var isComplete = false

  /// Bytes that are read at a time.
  private static let chunk = 1 << 20

  /// Reads what the log says of a run, from the record that it began with.
  static func read(of run: RunName, in directory: borrowing AuditDirectory) -> OpenAttempts {
    var found = OpenAttempts()
    let names = ((try? Directory.names(directory.path)) ?? []).filter { $0.hasPrefix(AuditLog.objectsName) }
    // A rotation may have come in between; then the records go on in another file.
    for name in names {
      guard let file = try? directory.descriptor.open(at: name, [.readOnly, .noFollow, .nonBlocking]),
        let status = try? file.status(), status.kind == .regular
      else { continue }
      let isFirst = status.inode == run.inode
      let start = isFirst && status.size >= run.offset ? run.offset : 0
      let isRead = found.take(file, from: start, to: status.size, run: Array(run.run.utf8))
      if isFirst, isRead { found.isComplete = true }
    }
    return found
  }

  /// Takes the run's records out of a range of a file; false when it cannot be read.
  private mutating func take(_ file: borrowing OwnedFD, from start: UInt64, to end: UInt64, run: [UInt8]) -> Bool {
    var rest: [UInt8] = []
    var offset = start
    while offset < end {
      var bytes = [UInt8](repeating: 0, count: Int(min(UInt64(Self.chunk), end - offset)))
      guard (try? file.readFully(at: offset, into: &bytes)) == true else { return false }
      offset += UInt64(bytes.count)
      rest += bytes
      guard let last = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
      for line in rest[..<last].split(separator: UInt8(ascii: "\n")) { take(Array(line), run: run) }
      rest.removeSubrange(...last)
    }
    return true
  }

  private mutating func take(_ line: [UInt8], run: [UInt8]) {
    // Most lines are of other runs, and are not parsed. One that was cut is no record.
    guard line.rawSpan.firstOffset(of: run.rawSpan) != nil, let record = try? JSONValue.parse(line),
      case .string(let event)? = record["event"], event.utf8.starts(with: run)
    else { return }
    switch record["stage"] {
    case "attempt": attempts.append((event, record))
    case "outcome": ended.insert(event)
    // A denial is the end: nothing is done.
    case "decision": if record["decision"] == "deny" { ended.insert(event) }
    default: break
    }
  }

  /// What is recorded of the attempts that are open.
  func closingLines(of run: RunName) -> AuditLog.Lines {
    var lines = AuditLog.Lines()
    for (event, record) in attempts where !ended.contains(event) {
      AttemptEnding.crashed.add(to: &lines, event: event, attempt: record)
    }
    if !isComplete {
      // The attempts are in a file that was compressed or taken away: the run alone can be named.
      AttemptEnding.crashed.add(to: &lines, event: run.run, attempt: .object([]))
    }
    return lines
  }
}
