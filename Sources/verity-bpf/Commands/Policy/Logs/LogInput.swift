import Admission
import Base
import Linux
import Workbench

/// Logs that a command reads, in whatever form and of any size.
struct LogInput {
  static let option: Key<[String]> = .repeated(
    "--audit-log", takes: .file, needsOne: true,
    "A log, plain or compressed; - is standard input, a directory all files of its log; may be repeated.")

  /// What help says about the logs.
  static let discussion = """
    Takes the records of the kernel's ring buffer, of auditd and ausearch, of syslog daemons, of the journal (short forms, \
    json, export), of laurel and other programs that forward logs, and this program's own audit.jsonl and audit.log, also in \
    UTF-16 and when gzip, zstd or xz compressed them. Of a directory, audit.jsonl (or else audit.log) and what rotation has \
    made of it are one log, the oldest file first.
    """

  /// Where in the logs something stands.
  struct Place {
    let path: String
    /// From 1, in this file.
    let line: Int
  }

  let logs: [String]

  /// Goes through the logs in memory of the longest line.
  ///
  /// - Parameters:
  ///   - visit: takes each record, and what looks like one and cannot be read.
  ///   - atEnd: takes the lines of a file that was read.
  func forEachItem(_ visit: (Place, LoggedItem) throws -> Void, atEnd: (Int) -> Void) throws {
    do {
      for log in logs {
        for file in try files(of: log) {
          var pieces = try LogPieces(file)
          var reader = LogReader()
          while let piece = try pieces.next() {
            try reader.take(piece) { try visit(Place(path: file, line: $0), $1) }
          }
          try reader.end { try visit(Place(path: file, line: $0), $1) }
          atEnd(reader.lines)
        }
      }
    } catch AuditReadError.unreadable(_, let error) {
      throw error
    }
  }

  private func files(of log: String) throws(AuditReadError) -> [String] {
    guard log != "-", let kind = try? FileStatus.of(path: log).kind, kind == .directory else { return [log] }
    return try AuditLogFiles.listOfAnyone(log).oldestFirst
  }
}

/// What looked like a record and could not be read: the first few are shown, all are counted.
struct LogFaults {
  private(set) var count = 0
  private static let shown = 10

  mutating func report(_ place: LogInput.Place, _ reason: String) {
    count += 1
    if count <= Self.shown { Output.note("\(place.path):\(place.line): warning[audit.damaged]: \(reason)") }
  }

  /// The exit code, when all that could be read was.
  ///
  /// - Throws: when there was nothing to decide about, which must not look like a log that changes nothing.
  func status(decisions: Int, records: Int, lines: Int, _ logs: [String]) throws -> Int32 {
    if count > Self.shown { Output.note("and \(count - Self.shown) more that are not shown") }
    let lost = count == 0 ? "" : ", and \(count) that cannot be read"
    guard decisions > 0 else {
      let name = logs.count == 1 ? "`\(logs.first ?? "")`" : "the \(logs.count) logs"
      throw DiagnosedFailure(
        Diagnostic(
          "audit.no-decisions", .incomplete, "no decision on record was read in \(name)",
          expected: "records of IPE (type 1420), or decisions of audit.jsonl",
          found: "\(lines) lines, \(records) records without a decision\(lost)",
          why: "a log in which nothing is found says nothing about a policy",
          next: "name the log that has the records; journalctl -o export _TRANSPORT=audit and ausearch --raw print them"
        ))
    }
    guard count > 0 else { return 0 }
    Output.warning(
      "audit.damaged", "\(count) that look like records could not be read, so the answer is not about all of the log")
    return Diagnostic.Category.incomplete.rawValue
  }
}
