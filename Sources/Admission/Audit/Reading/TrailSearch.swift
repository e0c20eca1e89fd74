internal import Base

/// Looks in a log, from its end, for what it says of the programs that are loaded.
///
/// The memory is that of the programs, whatever the length of the log: of each one outcome is kept, and then that outcome's
/// decision, which stands before it. The search ends with the first record of another start of the machine, for
/// the kernel counts ids anew after each; everything before that is older.
struct TrailSearch: TrailReader {
  private struct Outcome {
    let event: String
    let time: String
    let loadTime: UInt64?
    let tag: String
    /// The line in the file that is being read from its beginning; behind all lines of it for an outcome of a newer file.
    var line = Int.max
  }

  private let bootID: String
  /// What is loaded: each program's tag and time of loading.
  private let programs: [UInt32: (tag: String, loadTime: UInt64)]
  private var outcomes: [UInt32: Outcome] = [:]
  /// The events of ``outcomes`` whose decision was not met yet, with their programs.
  private var waiting: [String: Set<UInt32>] = [:]
  /// How many programs have the very outcome that vouches for them, with its decision.
  private var settled: Set<UInt32> = []
  private(set) var records: [UInt32: AuditTrail.Record] = [:]
  /// Lines that are no records, a cut last line for example.
  private(set) var unreadableLines = 0
  /// Records of kinds that are not known here, with their numbers.
  private(set) var unknownKinds: [String: Int] = [:]
  /// Pins that a load left which crashed, each with the event of that load.
  private(set) var leftPins: [String: String] = [:]
  /// Whether a record of another start of the machine was met.
  private(set) var hasMetOtherBoot = false

  /// Kinds that are counted one by one; a newer version of this program has a few.
  private static let kindLimit = 16
  /// Pins of crashed loads that are kept; what holds another is an unknown program like any other.
  private static let pinLimit = 10_000

  init(bootID: String, programs: [AuditTrail.Program]) {
    self.bootID = bootID
    self.programs = Dictionary(
      programs.map { ($0.id, (Hex.encode($0.tag), $0.loadTime)) }, uniquingKeysWith: { _, last in last })
  }

  /// Whether nothing that is before can add anything.
  var isDone: Bool { hasMetOtherBoot || settled.count == programs.count }

  mutating func goOn() { hasMetOtherBoot = false }

  mutating func takeBackwards(_ line: TextLine) -> Bool {
    switch read(line) {
    case .decision(let record, let event): take(decision: record, of: event)
    case .loaded(let record, let event): take(outcome: record, of: event)
    case .crashed(let record, let event): take(crash: record, of: event)
    case .other, .unknownKind, .unreadable: break
    case .otherBoot: hasMetOtherBoot = true
    }
    return !isDone
  }

  /// Takes a file that can only be read from its beginning. It is read twice: decisions come before their outcomes, and which
  /// of them are wanted, the outcomes say.
  mutating func takeForwards(_ file: borrowing AuditLogFile) throws(AuditReadError) {
    var fromFile = self
    (fromFile.unreadableLines, fromFile.unknownKinds) = (0, [:])
    var newer = try file.forwards()
    // Lines that another start of the machine has to do with: none of them is of an outcome that counts.
    var (number, olderLines) = (0, 0)
    while let line = try newer.next() {
      number += 1
      switch fromFile.read(line) {
      case .loaded(let record, let event): fromFile.take(outcome: record, of: event, at: number)
      case .crashed(let record, let event): fromFile.take(crash: record, of: event)
      case .decision, .other, .unknownKind, .unreadable: break
      case .otherBoot:
        // All that this file has said so far is older than that.
        (fromFile.outcomes, fromFile.waiting, fromFile.hasMetOtherBoot) = (outcomes, waiting, true)
        fromFile.leftPins = leftPins
        olderLines = number
      }
    }
    unreadableLines += fromFile.unreadableLines
    for (kind, count) in fromFile.unknownKinds { note(kind, count) }
    (outcomes, waiting, hasMetOtherBoot) = (fromFile.outcomes, fromFile.waiting, fromFile.hasMetOtherBoot)
    leftPins = fromFile.leftPins
    guard !waiting.isEmpty else { return }
    try takeDecisions(file, from: olderLines + 1)
    for id in outcomes.keys { outcomes[id]?.line = .max }
  }

  /// Gives each outcome that waits for it the last decision that stands before it, as reading from the end does.
  private mutating func takeDecisions(_ file: borrowing AuditLogFile, from start: Int) throws(AuditReadError) {
    // What cannot be read was counted the first time.
    var reader = self
    var decisions: [String: JSONValue] = [:]
    var lines = try file.forwards()
    var number = 0
    while !waiting.isEmpty, let line = try lines.next() {
      number += 1
      guard number >= start else { continue }
      switch reader.read(line) {
      case .decision(let record, let event): if waiting[event] != nil { decisions[event] = record }
      case .loaded(_, let event): if let decision = decisions[event] { take(decision: decision, of: event, at: number) }
      case .crashed, .other, .unknownKind, .unreadable, .otherBoot: break
      }
    }
    for (event, decision) in decisions { take(decision: decision, of: event, at: .max) }
  }

  /// Reads a line, and counts it where it is not understood.
  private mutating func read(_ line: TextLine) -> TrailLine {
    let read = TrailLine(line, bootID: bootID)
    switch read {
    case .unreadable: unreadableLines += 1
    case .unknownKind(let kind): note(kind, 1)
    case .decision, .loaded, .crashed, .other, .otherBoot: break
    }
    return read
  }

  private mutating func note(_ kind: String, _ count: Int) {
    let name = unknownKinds[kind] == nil && unknownKinds.count >= Self.kindLimit ? "others" : kind
    unknownKinds[name, default: 0] += count
  }

  private mutating func take(crash record: JSONValue, of event: String) {
    guard case .array(let pins)? = record["outcome"]?["pins"] else { return }
    for case .string(let pin) in pins where leftPins.count < Self.pinLimit && leftPins[pin] == nil {
      leftPins[pin] = event
    }
  }

  private mutating func take(outcome record: JSONValue, of event: String, at line: Int = .max) {
    guard case .array(let found)? = record["outcome"]?["programs"] else { return }
    for program in found {
      guard case .integer(let number)? = program["id"], let id = UInt32(exactly: number), programs[id] != nil,
        case .string(let tag)? = program["tag"]
      else { continue }
      var loadTime: UInt64?
      if case .integer(let time)? = program["load_time"] { loadTime = UInt64(exactly: time) }
      if let known = outcomes[id] {
        guard isBetter(id, tag, loadTime, at: line, than: known) else { continue }
        waiting[known.event]?.remove(id)
        if waiting[known.event]?.isEmpty == true { waiting[known.event] = nil }
        records[id] = nil
        settled.remove(id)
      }
      var time = ""
      if case .string(let text)? = record["time"] { time = text }
      outcomes[id] = Outcome(event: event, time: time, loadTime: loadTime, tag: tag, line: line)
      waiting[event, default: []].insert(id)
    }
  }

  /// Of several outcomes of one id that of the very load counts, then the newest, then the one that stands last, in whatever
  /// order they are met.
  private func isBetter(_ id: UInt32, _ tag: String, _ loadTime: UInt64?, at line: Int, than known: Outcome) -> Bool {
    let (isOurs, isKnownOurs) = (isOfLoad(id, tag, loadTime), isOfLoad(id, known.tag, known.loadTime))
    if isOurs != isKnownOurs { return isOurs }
    if loadTime != known.loadTime {
      return loadTime.map { time in known.loadTime.map { $0 < time } ?? true } ?? false
    }
    // From the end, and in older files, what was met first stands last.
    return known.line < line && line < .max
  }

  /// - Parameter line: where the outcomes stand that the decision is of; nil for all that wait for one.
  private mutating func take(decision record: JSONValue, of event: String, at line: Int? = nil) {
    guard let all = waiting.removeValue(forKey: event) else { return }
    let ids = all.filter { line == nil || outcomes[$0]?.line == line }
    if ids.count < all.count { waiting[event] = all.subtracting(ids) }
    func text(_ name: String) -> String? {
      if case .string(let text)? = record[name] { text } else { nil }
    }
    for id in ids {
      guard let outcome = outcomes[id] else { continue }
      // An outcome without a decision that allowed it vouches for nothing; nor does an earlier one of the same load.
      guard record["decision"] == "allow" else { continue }
      records[id] = AuditTrail.Record(
        time: outcome.time, loadTime: outcome.loadTime, tag: outcome.tag, rootHash: text("root_hash"),
        object: text("object"), path: text("path_in_image"), rule: text("rule"),
        shadowDecision: text("shadow_decision"))
      if isOfLoad(id, outcome.tag, outcome.loadTime) { settled.insert(id) }
    }
  }

  /// Whether that is what the kernel says of a program now.
  private func isOfLoad(_ id: UInt32, _ tag: String, _ loadTime: UInt64?) -> Bool {
    programs[id].map { $0.tag == tag && $0.loadTime == loadTime } ?? false
  }
}
