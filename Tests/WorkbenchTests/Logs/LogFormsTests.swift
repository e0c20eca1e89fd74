import Base
import Linux
import Policy
import Testing

@testable import Workbench

/// One log in every form: what is read of it is the same, with time and event where the form has them.
@Suite struct LogFormsTests {
  static func fixture(_ name: String) throws -> [UInt8] {
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try OwnedFD.open("\(root)/Fixtures/log-forms/\(name)", .readOnly).readToEnd(limit: 1 << 22) ?? []
  }

  static let names: [String] = {
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return ((try? Directory.names("\(root)/Fixtures/log-forms")) ?? []).sorted()
  }()

  /// An item and its line.
  struct Found: Equatable {
    let line: Int
    let item: LoggedItem
  }

  /// What is read of a log that comes in pieces of a size.
  static func items(_ log: [UInt8], pieces: Int = 1 << 16) -> [Found] {
    var reader = LogReader()
    var found: [Found] = []
    for start in stride(from: 0, to: log.count, by: pieces) {
      reader.take(log[start..<min(log.count, start + pieces)]) { found.append(Found(line: $0, item: $1)) }
    }
    reader.end { found.append(Found(line: $0, item: $1)) }
    return found
  }

  static func policy() throws -> CompiledPolicy {
    try CompiledPolicy(
      PolicyDocument.parse(
        Array("policy_name=a policy_version=1.0.0\nDEFAULT action=DENY\n".utf8), dialect: .verityBPF))
  }

  /// What there is to count in a form: decisions, refusals, attempts, other records, and what cannot be read.
  struct Expected {
    var decisions = 4
    var refusals = 0
    var attempts = 0
    var endings = 0
    var others = 1
    var unreadable = 0
    /// Whether each decision has its time and its event.
    var isTimed = true
    var hasEvent = true
  }

  private static let kernel = Expected(decisions: 3, others: 2)
  private static let daemon = Expected(decisions: 3, refusals: 1, attempts: 1, others: 2)
  private static let own = Expected(decisions: 2, refusals: 1, attempts: 1, endings: 1, others: 2)

  static let expected: [String: Expected] = [
    "auditd-raw.log": daemon, "auditd-enriched.log": daemon, "auditd-number.log": kernel, "utf16le.log": daemon,
    "utf16be.log": daemon, "utf8-bom.log": daemon, "windows-lines.log": daemon,
    "ausearch.log": Expected(decisions: 2, refusals: 1, attempts: 1, others: 2),
    "ausearch-raw.log": Expected(decisions: 2, refusals: 1, attempts: 1, others: 2),
    "ausearch-interpreted.log": Expected(decisions: 2, refusals: 1, others: 3),
    "dmesg.log": kernel, "dmesg-time.log": kernel, "dmesg-decode.log": kernel, "dmesg-raw.log": kernel,
    "dmesg-color.log": kernel, "dmesg.json": kernel, "kmsg.log": kernel, "syslog-traditional.log": kernel,
    "syslog-pri.log": kernel, "rsyslog-imfile.log": kernel, "container.log": kernel, "logfmt.log": kernel,
    "docker.json": kernel, "filebeat.json": kernel, "laurel.json": Expected(decisions: 3),
    "laurel-number.json": Expected(decisions: 3),
    "auditbeat.json": Expected(decisions: 3, others: 0, hasEvent: false),
    "go-audit.json": Expected(decisions: 3, others: 0, hasEvent: false),
    "journalctl-cat.log": Expected(isTimed: false, hasEvent: false),
    "journalctl-verbose.log": Expected(isTimed: false, hasEvent: false),
    "journalctl-json.log": Expected(), "journalctl-json-pretty.log": Expected(), "journalctl-json-seq.log": Expected(),
    "journalctl-json-sse.log": Expected(), "journalctl-json-bytes.log": Expected(), "journalctl-export.bin": Expected(),
    "journalctl-short.log": Expected(hasEvent: false), "journalctl-short-full.log": Expected(hasEvent: false),
    "journalctl-short-iso.log": Expected(hasEvent: false), "journalctl-short-precise.log": Expected(hasEvent: false),
    "journalctl-short-iso-precise.log": Expected(hasEvent: false),
    "journalctl-short-unix.log": Expected(hasEvent: false), "journalctl-with-unit.log": Expected(hasEvent: false),
    "journalctl-short-monotonic.log": Expected(hasEvent: false),
    "journalctl-hidden.log": Expected(decisions: 0, others: 0, unreadable: 2),
    "own.jsonl": own, "own-pretty.json": own, "own-list.json": own, "own-array.json": own, "own-one-line.json": own,
    "own-syslog.log": own, "own-forwarded.json": own,
    "damaged.log": Expected(decisions: 0, others: 0, unreadable: 11),
    "other-lines.log": Expected(decisions: 0, others: 0),
  ]

  @Test func everyFormIsExpected() { #expect(Set(Self.names) == Set(Self.expected.keys)) }

  @Test(arguments: names)
  func countsAreRight(_ name: String) throws {
    let expected = try #require(Self.expected[name])
    var replay = Replay(policy: try Self.policy())
    var counts = ReplayCounts()
    var faults: [String] = []
    for found in Self.items(try Self.fixture(name)) {
      let entry = replay.replay(found.item, line: found.line)
      counts.count(entry)
      if case .damaged(let line, let reason) = entry { faults.append("\(line): \(reason)") }
      guard case .answer(let answer) = entry else { continue }
      #expect(!expected.isTimed || answer.origin.time != nil, "line \(found.line) has no time")
      let isEventKnown = answer.origin.event != nil
      #expect(isEventKnown || !expected.hasEvent, "line \(found.line) has no event")
    }
    #expect(counts.decisions == expected.decisions, "\(faults)")
    #expect(counts.undecided[.refusal] ?? 0 == expected.refusals)
    #expect(counts.undecided[.attempt] ?? 0 == expected.attempts)
    #expect(counts.undecided[.ending] ?? 0 == expected.endings)
    #expect(counts.others == expected.others)
    #expect(counts.unreadable == expected.unreadable, "\(faults)")
  }

  /// Whatever form a decision has, its fields are those that the kernel has printed.
  @Test func fieldsAreTheSame() throws {
    func decisions(_ name: String) throws -> [AccessRecord] {
      Self.items(try Self.fixture(name)).compactMap {
        if case .record(_, .text(.access(let record))) = $0.item { record } else { nil }
      }
    }
    let raw = try decisions("auditd-raw.log")
    #expect(raw.count == 3 && raw[1].rule.contains("dmverity_roothash=sha256:a8d4"))
    for (name, expected) in Self.expected where expected.decisions > 0 && !name.hasPrefix("own") {
      let found = try decisions(name)
      #expect(found.allSatisfy { raw.contains($0) }, "\(name): \(found.filter { !raw.contains($0) })")
    }
  }

  @Test func timesAreThoseOfTheForm() throws {
    func first(_ name: String) throws -> RecordOrigin? {
      Self.items(try Self.fixture(name)).lazy.compactMap {
        if case .record(let origin, .text(.access)) = $0.item { origin } else { nil }
      }.first
    }
    let stamp = AuditStamp(seconds: 1_795_366_012, milliseconds: 941, serial: 14)
    for name in ["auditd-raw.log", "journalctl-json.log", "journalctl-export.bin", "laurel.json", "dmesg.json"] {
      #expect(try first(name) == RecordOrigin(stamp: stamp), "\(name)")
    }
    #expect(RecordOrigin(stamp: stamp).time == "2026-11-22T16:46:52.941Z")
    #expect(try first("journalctl-short.log")?.time == "Nov 22 16:46:52")
    #expect(try first("journalctl-short-full.log")?.time == "Sun 2026-11-22 16:46:52 UTC")
    #expect(try first("journalctl-short-unix.log")?.time == "2026-11-22T16:46:52.941Z")
    #expect(try first("journalctl-short-monotonic.log")?.time == "[ 0.001000]")
    #expect(
      try first("ausearch-interpreted.log") == RecordOrigin(stamp: nil, time: "11/22/26 16:46:52.942", event: "15"))
    #expect(try first("auditbeat.json")?.time == "2026-11-22T16:46:52.941Z")
  }

  /// What a log is cut into does not change what is read of it.
  @Test(arguments: names)
  func piecesOfAnySize(_ name: String) throws {
    let log = try Self.fixture(name)
    let whole = Self.items(log)
    for size in [1, 2, 3, 5, 8, 13, 100, 1000, 4096] {
      #expect(Self.items(log, pieces: size) == whole, "pieces of \(size)")
    }
  }

  /// Forms in which a record is one line: of a log that is cut anywhere, whole records are read, and the cut one is said to be
  /// none or is not of IPE.
  @Test(arguments: [
    "auditd-raw.log", "auditd-number.log", "own.jsonl", "utf16le.log", "journalctl-json.log", "journalctl-short.log",
    "journalctl-export.bin", "dmesg-raw.log", "laurel.json",
  ])
  func cutAnywhere(_ name: String) throws {
    let log = try Self.fixture(name)
    let whole = Self.items(log).map(\.item)
    for end in 0...log.count {
      let found = Self.items(Array(log[..<end])).map(\.item)
      let records = found.filter { if case .record = $0 { true } else { false } }
      // What stands behind the last field that is read may be missing.
      #expect(found.count - records.count <= 1 && whole.starts(with: records) || records.count <= whole.count, "\(end)")
      let lost = whole.dropFirst(records.count).first
      guard end == log.count else { continue }
      #expect(records == whole && lost == nil)
    }
    // A record that began in an earlier file, which rotation has put aside.
    let last = log.lastIndex(of: 0x0a).map { log[..<$0].lastIndex(of: 0x0a) ?? 0 } ?? 0
    for start in stride(from: 0, to: last, by: 3) { _ = Self.items(Array(log[start...])) }
  }

  /// Any bytes give a result.
  @Test func anyBytes() throws {
    var generator = SystemRandomNumberGenerator()
    for name in Self.names {
      let log = try Self.fixture(name)
      for _ in 0..<20 {
        var bad = log
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          bad[Int.random(in: 0..<bad.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        let whole = Self.items(bad)
        let size = Int.random(in: 1...200, using: &generator)
        #expect(Self.items(bad, pieces: size) == whole, "\(name), pieces of \(size)")
      }
    }
  }

  @Test func linesAreCounted() throws {
    for name in Self.names where !name.hasPrefix("utf16") {
      let log = try Self.fixture(name)
      var reader = LogReader()
      reader.take(log[...]) { _, _ in }
      reader.end { _, _ in }
      let feeds = log.count { $0 == 0x0a } + (log.last == 0x0a ? 0 : 1)
      if !name.hasSuffix(".bin") { #expect(reader.lines == feeds, "\(name)") }
    }
    #expect(Self.items(try Self.fixture("auditd-raw.log")).map(\.line) == [2, 3, 4, 5, 6, 8, 9])
    #expect(Self.items(try Self.fixture("journalctl-json-pretty.log")).map(\.line).first == 18)
  }

  @Test func longLines() {
    let record = #"type=1420 audit(1.002:3): ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm="a" "#
    var reader = LogReader(limit: 100)
    var found: [LoggedItem] = []
    reader.take(Array("\(record)\(record)\nx\n".utf8)[...]) { found.append($1) }
    reader.end { found.append($1) }
    #expect(found == [.unreadable("the line has more than 100 bytes")] && reader.lines == 2)
  }
}
