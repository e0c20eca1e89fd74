internal import Base
internal import Workbench

/// What a line of the log is to who looks for the loads since this start of the machine.
enum TrailLine {
  case decision(JSONValue, event: String)
  /// An outcome: this is in the kernel since this start of the machine.
  case loaded(JSONValue, event: String)
  /// An outcome: the process is gone, and has recorded nothing.
  case crashed(JSONValue, event: String)
  /// A record that says nothing of what is loaded, or no text.
  case other
  /// A record of another start of the machine: for ids, everything before it is older.
  case otherBoot
  /// A record of a kind that is not known here.
  case unknownKind(String)
  /// No record, a cut last line for example.
  case unreadable

  init(_ line: TextLine, bootID: String) {
    guard case .line(let bytes) = line else {
      self = .unreadable
      return
    }
    if bytes.isEmpty {
      self = .other
      return
    }
    guard let record = try? JSONValue.parse(bytes), case .string(let event)? = record["event"] else {
      self = .unreadable
      return
    }
    let outcome = record["outcome"]
    for place in [record["boot_id"], outcome?["boot_id"]] {
      if case .string(let boot)? = place, boot != bootID {
        self = .otherBoot
        return
      }
    }
    switch StatedStage(of: record) {
    case .known(.decision): self = .decision(record, event: event)
    case .known(.outcome):
      // Only what was loaded since the machine was started vouches for anything.
      let isOurs = outcome?["result"] == "loaded" && outcome?["boot_id"] == .string(bootID)
      let isCrash = outcome?["result"] == .string(AttemptRecord.Stage.crashed.rawValue)
      self = isOurs ? .loaded(record, event: event) : isCrash ? .crashed(record, event: event) : .other
    // What was only asked for vouches for nothing.
    case .known(.attempt), .known(.gate): self = .other
    case .unknown(let kind): self = .unknownKind(kind)
    case .missing: self = .unreadable
    }
  }
}

/// Looks in a log, from its end, and knows when nothing before can add anything.
protocol TrailReader {
  var isDone: Bool { get }
  /// Another chain of files follows, of which it is not known how old it is.
  mutating func goOn()
  /// Takes a line of a file that is read from its end; false when the search is done.
  mutating func takeBackwards(_ line: TextLine) -> Bool
  /// Takes a file that can only be read from its beginning.
  mutating func takeForwards(_ file: borrowing AuditLogFile) throws(AuditReadError)
}

extension TrailReader {
  /// Looks in the log of a directory, which may have been rotated, and its earlier files compressed.
  func searching(_ directory: String) throws(AuditReadError) -> Self {
    // A rotation while the files are read gives them other names, and one could be missed.
    for _ in 0..<Self.patience {
      let files = try AuditLogFiles.list(directory)
      do throws(AuditReadError) {
        let search = try searching(files)
        if try AuditLogFiles.list(directory) == files { return search }
      } catch {
        if try AuditLogFiles.list(directory) == files { throw error }
      }
    }
    throw .changing(directory: directory)
  }

  /// How often the files are read anew when they were rotated meanwhile.
  private static var patience: Int { 5 }

  private func searching(_ files: AuditLogFiles) throws(AuditReadError) -> Self {
    var search = self
    if let current = files.current { try search.take(files.path(of: current)) }
    let newest = search
    for chain in files.chains where !newest.isDone {
      // Which chain is the newer one nobody knows, so each is followed to another start of the machine.
      search.goOn()
      for name in chain where !search.isDone { try search.take(files.path(of: name)) }
    }
    return search
  }

  private mutating func take(_ path: String) throws(AuditReadError) {
    let file = try AuditLogFile.open(path)
    if file.isCompressed {
      try takeForwards(file)
    } else {
      try file.backwards { takeBackwards($0) }
    }
  }
}
