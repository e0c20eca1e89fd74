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
  /// The run's --pin-path, and how the log spells it.
  private var pinPath: (path: String, spelling: [UInt8])?
  /// The pins below it of the loads that have ended since, the run's own and others'.
  private var claimed: Set<String> = []
  /// Other runs that were to pin there too.
  private var rivals: Set<String> = []

  /// Reads what the log says of a run. A rotation may have come in between, and may have compressed what it says.
  static func read(of run: RunName, in directory: borrowing AuditDirectory) -> OpenAttempts {
    var found = OpenAttempts()
    let start = Array(run.run.utf8)
    let files = (try? AuditLogFiles.list(directory.path))?.oldestFirst ?? []
    for path in files {
      let offset = run.offset(in: path)
      if (try? found.read(path, from: offset ?? 0, run: start)) != nil, offset != nil { found.isFileRead = true }
    }
    // One that has ended has recorded its pins. While another has not, nobody can tell whose a pin is.
    let unended = ((try? Directory.names(directory.path)) ?? []).compactMap { RunName(fileName: $0)?.run }
    found.rivals.formIntersection(unended)
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
    let isOfRun = line.rawSpan.firstOffset(of: run.rawSpan) != nil
    let isOfPins = pinPath.map { line.rawSpan.firstOffset(of: $0.spelling.rawSpan) != nil } ?? false
    guard isOfRun || isOfPins, let record = try? JSONValue.parse(line), case .string(let event)? = record["event"]
    else {
      return
    }
    if case .array(let pins)? = record["outcome"]?["pins"], record["outcome"]?["result"] == "loaded" {
      claimed.formUnion(pins.compactMap(\.text))
    }
    guard event.utf8.starts(with: run) else {
      if StatedStage(of: record) == .known(.attempt) { rivals.insert(RunName.run(of: event)) }
      return
    }
    switch StatedStage(of: record) {
    case .known(.attempt):
      attempts.append((event, record))
      if pinPath == nil, let own = record["pin_path"]?.text {
        // The objects of an image are pinned side by side, each below a directory that is named in its own attempt.
        let path = record["whole_image"] == true ? LeftPins.enclosing(own) : own
        pinPath = (path, Array(JSONValue.string(LeftPins.trimmed(path)).compactUTF8.dropLast()))
      }
    case .known(.outcome): ended.insert(event)
    // A denial is the end: nothing is done.
    case .known(.decision): if record["decision"] == "deny" { ended.insert(event) }
    case .known(.gate), .unknown, .missing: break
    }
  }

  private var open: [(event: String, record: JSONValue)] { attempts.filter { !ended.contains($0.event) } }

  /// What the run has left.
  func crashedRun(_ run: RunName) -> CrashedRun {
    var left: LeftPins?
    // Pins do not outlive a start of the machine.
    if let pinPath, rivals.isEmpty, let start = run.start, run.bootID == KernelSettings.bootID() {
      left = LeftPins(below: pinPath.path, of: run.process, since: start, claimed: claimed)
    }
    return CrashedRun(
      name: run.run, objects: open.compactMap { $0.record["path"]?.text ?? $0.record["image"]?.text },
      pins: left?.pins ?? [], directories: left?.directories ?? [])
  }

  /// What is recorded of the attempts that are open. Which of a run's attempts made a pin nobody knows any more, so that the
  /// first record lists all of them.
  func closingLines(of run: RunName, left: CrashedRun) -> AuditLog.Lines {
    var lines = AuditLog.Lines()
    var pins = left.pins
    for (event, record) in open {
      AttemptEnding.crashed(pins: pins).add(to: &lines, event: event, attempt: record)
      pins = []
    }
    if attempts.isEmpty, !isFileRead {
      // The attempts are in a file that was taken away: the run alone can be named.
      AttemptEnding.crashed(pins: []).add(to: &lines, event: run.run, attempt: .object([]))
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

  /// When the run began, which its name says.
  fileprivate var start: Timestamp? {
    let numbers = run.split(separator: "-")[0].split(separator: ".").map { Int64($0) }
    guard numbers.count == 2, let seconds = numbers[0], let nanoseconds = numbers[1] else { return nil }
    return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }
}
