import Base
import Linux
import TestSupport
import Testing

@testable import Admission

/// What the log says of loaded programs, however it was rotated and compressed.
@Suite struct AuditTrailTests {
  private let directory: TemporaryDirectory
  private let bootID: String

  init() throws {
    directory = try TemporaryDirectory()
    bootID = try #require(KernelSettings.bootID())
  }

  private static let tag: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

  private func decision(_ event: String, allow: Bool = true) -> String {
    #"{"schema":"verity-bpf/audit/1","time":"t","event":"\#(event)","stage":"decision","op":"BPF_PROG_LOAD","#
      + #""decision":"\#(allow ? "allow" : "deny")","rule":"r","path_in_image":"\#(event).o"}"# + "\n"
  }

  private func outcome(_ event: String, _ ids: [UInt32], at time: UInt64, boot: String? = nil) -> String {
    let programs = ids.map { #"{"name":"p","id":\#($0),"tag":"\#(Hex.encode(Self.tag))","load_time":\#(time)}"# }
    return #"{"schema":"verity-bpf/audit/1","time":"t","event":"\#(event)","stage":"outcome","outcome":"#
      + #"{"result":"loaded","boot_id":"\#(boot ?? bootID)","programs":[\#(programs.joined(separator: ","))]}}"# + "\n"
  }

  private func load(_ event: String, _ id: UInt32, at time: UInt64, boot: String? = nil) -> String {
    decision(event) + outcome(event, [id], at: time, boot: boot)
  }

  /// Writes a file of the log; one whose name ends in .gz, .zst or .xz compressed by the program for that.
  private func write(_ name: String, _ text: String) throws {
    let tools = [".gz": "gzip", ".zst": "zstd", ".xz": "xz"]
    guard let (ending, tool) = tools.first(where: { name.hasSuffix($0.key) }) else {
      try directory.write(name, text)
      return
    }
    let plain = String(name.dropLast(ending.count))
    try directory.write(plain, text)
    try Tools.run("sh", "-c", "\(tool) -q < '\(directory.file(plain))' > '\(directory.file(name))'")
    try Tools.run("rm", directory.file(plain))
  }

  private func program(_ id: UInt32, at time: UInt64) -> AuditTrail.Program {
    AuditTrail.Program(id: id, tag: Self.tag, loadTime: time)
  }

  private func standings(_ programs: [AuditTrail.Program]) throws(AuditReadError) -> [String] {
    let trail = try AuditTrail.read(directory: directory.path, about: programs)
    return programs.map { program in
      switch trail.standing(of: program) {
      case .vouched(let record): record.path ?? "?"
      case .otherTag: "other tag"
      case .otherLoad: "other load"
      case .unknown: "unknown"
      }
    }
  }

  @Test(arguments: [
    ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2.gz", "audit.jsonl.10.zst"],
    ["audit.jsonl", "audit.jsonl-20260103", "audit.jsonl-20260102.zst", "audit.jsonl-20251231.gz"],
    ["audit.jsonl.1", "audit.jsonl.2", "audit.jsonl-20260102-1767312000.gz", "audit.jsonl.old"],
  ])
  func rotatedFilesAreOneLog(_ names: [String]) throws {
    // A decision stands in one file, its outcome in the next.
    try write(names[3], load("a", 1, at: 10) + decision("b"))
    try write(names[2], outcome("b", [2], at: 20) + load("c", 3, at: 30) + decision("d"))
    try write(names[1], outcome("d", [4], at: 40) + load("e", 5, at: 50) + decision("f"))
    try write(names[0], outcome("f", [6], at: 60) + load("g", 7, at: 70))
    let programs = (1...7).map { program($0, at: UInt64($0) * 10) }
    #expect(try standings(programs) == ["a.o", "b.o", "c.o", "d.o", "e.o", "f.o", "g.o"])
    #expect(try standings([program(1, at: 11), program(9, at: 90)]) == ["other load", "unknown"])
  }

  @Test func readingEndsAtAnotherStartOfTheMachine() throws {
    try write("audit.jsonl", load("old", 2, at: 5, boot: "another") + load("new", 1, at: 10))
    // Nothing of this is needed, and nothing of it is read.
    try directory.write("audit.jsonl.1.gz", [0x1f, 0x8b, 1, 2, 3])
    #expect(try standings([program(1, at: 10), program(2, at: 5)]) == ["new.o", "unknown"])
    // Nor where all that runs is accounted for.
    try write("audit.jsonl", load("new", 1, at: 10))
    #expect(try standings([program(1, at: 10)]) == ["new.o"])
    // It is needed here.
    #expect(throws: AuditReadError.damaged(path: directory.file("audit.jsonl.1.gz"))) {
      try standings([program(1, at: 10), program(2, at: 5)])
    }
    // An attempt says of which start it is, too.
    try write("audit.jsonl.1.gz", load("older", 2, at: 5))
    let attempt = #"{"event":"x","stage":"attempt","boot_id":"another"}"# + "\n"
    try write("audit.jsonl", attempt + load("new", 1, at: 10))
    #expect(try standings([program(1, at: 10), program(2, at: 5)]) == ["new.o", "unknown"])
  }

  /// All that was loaded since the machine was started, the newest first, with the programs of one load in any file.
  @Test func whatIsRecordedSinceTheStart() throws {
    try write("audit.jsonl.2.gz", load("old", 9, at: 1, boot: "another") + load("a", 1, at: 10) + load("b", 2, at: 20))
    try write("audit.jsonl.1", outcome("c", [3, 4], at: 30))
    try write("audit.jsonl", load("d", 5, at: 50) + #"{"cut"#)
    let loads = try RecordedLoads.read(directory: directory.path)
    #expect(loads.programs.map(\.id) == [5, 4, 3, 2, 1] && loads.omitted == 0)
    #expect(loads.programs.first?.name == "p" && loads.programs.first?.tag == Hex.encode(Self.tag))
    let many = UInt32(RecordedLoads.limit)
    for name in ["audit.jsonl", "audit.jsonl.1.gz"] {
      try write(name, outcome("x", Array(1...many + 7), at: 1))
      if name != "audit.jsonl" { try write("audit.jsonl", "") }
      for rest in ["audit.jsonl.1", "audit.jsonl.2.gz"] { try Tools.run("rm", "-f", directory.file(rest)) }
      let loads = try RecordedLoads.read(directory: directory.path)
      #expect(loads.programs.map(\.id) == (8...many + 7).reversed() && loads.omitted == 7, "\(name)")
    }
    #expect(throws: AuditReadError.missing(directory: "/no-such-directory")) {
      try RecordedLoads.read(directory: "/no-such-directory")
    }
  }

  @Test func aCompressedFileOfTwoStarts() throws {
    for name in ["audit.jsonl.1.gz", "audit.jsonl.1.zst"] {
      try write(name, load("a", 1, at: 90, boot: "another") + load("b", 2, at: 20) + load("c", 2, at: 30))
      try write("audit.jsonl", "")
      #expect(try standings([program(1, at: 90), program(2, at: 30)]) == ["unknown", "c.o"], "\(name)")
      try Tools.run("rm", directory.file(name))
    }
  }

  /// Found by fuzzing: a compressed file, which is read from its beginning, took decisions from before another start of the
  /// machine, from behind their outcomes, and of several the first.
  @Test(arguments: ["audit.jsonl.1", "audit.jsonl.1.gz", "audit.jsonl.1.zst"])
  func decisionsStandBeforeTheirOutcomes(_ name: String) throws {
    let wanted = [program(1, at: 10), program(2, at: 20)]
    let renamed = decision("a").replacing("a.o", with: "first.o")
    try write("audit.jsonl", "")
    try write(name, renamed + load("o", 9, at: 5, boot: "another") + outcome("a", [1], at: 10) + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["unknown", "b.o"])
    try write(name, outcome("a", [1], at: 10) + decision("a") + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["unknown", "b.o"])
    try write(
      name, renamed + decision("a") + outcome("a", [1], at: 10) + decision("a", allow: false) + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["a.o", "b.o"])
    // Of two outcomes of one load the last one counts, whatever was decided of it.
    let twice = outcome("a", [1], at: 10) + decision("a") + outcome("a", [1], at: 10) + load("d", 1, at: 11)
    try write(name, twice + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["a.o", "b.o"])
    try write(
      name, load("a", 1, at: 10) + decision("d", allow: false) + outcome("d", [1], at: 10) + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["unknown", "b.o"])
    // The outcome is in a newer file than its decision.
    try write("audit.jsonl", outcome("a", [1], at: 10))
    try write(name, decision("a", allow: false) + decision("a") + load("b", 2, at: 20))
    #expect(try standings(wanted) == ["a.o", "b.o"])
  }

  @Test func theNewestOutcomeCounts() throws {
    try write("audit.jsonl", load("b", 1, at: 20) + load("a", 1, at: 10))
    #expect(try standings([program(1, at: 20)]) == ["b.o"])
    #expect(try standings([program(1, at: 10)]) == ["a.o"])
    let trail = try AuditTrail.read(directory: directory.path, about: [program(1, at: 30)])
    guard case .otherLoad(let record) = trail.standing(of: program(1, at: 30)) else {
      Issue.record("\(trail)")
      return
    }
    #expect(record.loadTime == 20)
    // What was denied, and what has no decision, vouches for nothing.
    try write("audit.jsonl", decision("d", allow: false) + outcome("d", [1], at: 20) + outcome("e", [2], at: 20))
    #expect(try standings([program(1, at: 20), program(2, at: 20)]) == ["unknown", "unknown"])
  }

  @Test func whatIsNoRecordIsCounted() throws {
    let strange = #"{"event":"x","stage":"thing"}"# + "\n"
    for name in ["audit.jsonl", "audit.jsonl.1.gz"] {
      try write(name, "no record\n" + load("a", 1, at: 10) + strange + strange + #"{"cut"#)
      let trail = try AuditTrail.read(directory: directory.path, about: [program(2, at: 1)])
      #expect(trail.unreadableLines == 2 && trail.unknownKinds == ["thing": 2], "\(name)")
      try Tools.run("rm", directory.file(name))
    }
  }

  @Test func whatCannotBeReadIsNamed() throws {
    let wanted = [program(1, at: 10)]
    #expect(throws: AuditReadError.missing(directory: directory.path)) { try standings(wanted) }
    #expect(throws: AuditReadError.missing(directory: "/no-such-directory")) {
      try AuditTrail.read(directory: "/no-such-directory", about: [])
    }
    let packed = [UInt8]([0x42, 0x5a, 0x68]) + [UInt8](repeating: 7, count: 100)
    try directory.write("audit.jsonl.1.bz2", packed)
    #expect(throws: AuditReadError.compression(path: directory.file("audit.jsonl.1.bz2"), by: "bzip2")) {
      try standings(wanted)
    }
    // A FIFO would keep us waiting.
    try Tools.run("mkfifo", directory.file("audit.jsonl"))
    let error = #expect(throws: AuditReadError.self) { try standings(wanted) }
    guard case .unreadable(let path, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == directory.file("audit.jsonl"))
  }

  /// While a file is being compressed both are there, and only the plain one is whole.
  @Test func aFileThatIsBeingCompressed() throws {
    try write("audit.jsonl", "")
    try write("audit.jsonl.1", load("a", 1, at: 10))
    try directory.write("audit.jsonl.1.gz", [0x1f, 0x8b, 8, 0])
    #expect(try standings([program(1, at: 10), program(2, at: 10)]) == ["a.o", "unknown"])
  }

  @Test func namesHaveTheirOrder() {
    let names = [
      "audit.jsonl", "audit.jsonl.2.gz", "audit.jsonl.1", "audit.jsonl.10.zst", "audit.jsonl-20260101",
      "audit.jsonl.bak",
      "audit.jsonl-2026010207.gz", "audit.jsonl-20260103-9.zst", "audit.jsonl~",
    ]
    let files = AuditLogFiles(
      directory: "/d", inodes: Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt64($0)) }))
    #expect(files.current == "audit.jsonl")
    #expect(
      files.chains == [
        ["audit.jsonl.1", "audit.jsonl.2.gz", "audit.jsonl.10.zst"],
        ["audit.jsonl-20260103-9.zst", "audit.jsonl-2026010207.gz", "audit.jsonl-20260101"],
        ["audit.jsonl~"], ["audit.jsonl.bak"],
      ])
    #expect(files.oldestFirst.last == "/d/audit.jsonl" && files.oldestFirst.count == names.count)
  }
}
