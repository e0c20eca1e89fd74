import Base
import Linux
import TestSupport
import Testing

/// Many objects in one run, on several processors: what comes out is what one after another would have given.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading needs root"))
struct SeveralLoadsTests {
  let directory: TemporaryDirectory
  let pins: MountedPins

  /// A BPF file system in a directory of its own.
  final class MountedPins {
    let path: String
    init(_ path: String) throws {
      self.path = path
      try Directory.create(path)
      try Tools.run("mount", "-t", "bpf", "bpf", path)
    }
    deinit { _ = try? Tools.run("umount", path) }

    func tree() throws -> [String] {
      try Tools.run("find", path, "-mindepth", "1", "-not", "-name", "*.debug").split(separator: "\n")
        .map { String($0) }.sorted()
    }
  }

  /// How one run ended, without what no two runs have in common: ids, times, the process.
  fileprivate struct Run {
    let status: Int
    let answers: [JSONValue]
    let pins: [String]
    let records: [JSONValue]
    let errors: String

    /// The records of a stage as they were written.
    func records(_ stage: JSONValue) -> [JSONValue] { records.filter { $0["stage"] == stage } }
  }

  init() throws {
    directory = try TemporaryDirectory()
    pins = try MountedPins(directory.file("bpf"))
  }

  /// 64 objects: the demo's in turn, now and then one that the verifier refuses, one that is not there, one that is
  /// there a second time.
  private func objects() throws -> [String] {
    try Tools.buildDemo(into: directory.file("demo"))
    let source = "\(Tools.repository)/Tests/Fixtures/bpf-load/refused_access.bpf.c"
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c", source, "-o",
      directory.file("demo/refused_access.bpf.o"))
    let sources = [
      "egress_filter", "exec_logger", "refused_access", "runq_latency", "socket_filter", "task_list", "xdp_counter",
    ]
    try Directory.create(directory.file("progs"))
    var names: [String] = []
    for number in 0..<64 {
      let name = "\(number % 9 == 5 ? number - 3 : number).bpf.o"
      names.append(number % 13 == 7 ? "missing-\(number).bpf.o" : name)
      try directory.write("progs/\(name)", directory.read("demo/\(sources[number % sources.count]).bpf.o"))
    }
    let built = try VerityBPFCommand.run(["build-image", directory.file("progs"), "-o", directory.file("progs.raw")])
    try #require(built.status == 0, "\(built.errors)")
    return names
  }

  private func load(_ names: [String], rule: String, _ options: [String] = []) throws -> Run {
    let policy = try directory.write(
      "test.pol", "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule) action=ALLOW\n")
    let audit = try TemporaryDirectory()
    let result = try VerityBPFCommand.run(
      [
        "load", "--image", directory.file("progs.raw"), "--policy", policy, "--json", "--pin-path",
        "\(pins.path)/run/all", "--audit-dir", audit.path,
      ] + options + names.flatMap { ["--object", $0] })
    let tree = try pins.tree()
    try Tools.run("find", pins.path, "-mindepth", "1", "-not", "-name", "*.debug", "-delete")
    return Run(
      status: result.status, answers: try lines(Array(result.output.utf8)).map { $0.comparable }, pins: tree,
      records: try lines(audit.read("audit.jsonl")), errors: result.errors)
  }

  private func lines(_ text: [UInt8]) throws -> [JSONValue] {
    try text.split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  @Test func loadsAsIfOneAfterAnother() throws {
    let names = try objects()
    let rule = "x_prog_type=xdp,socket_filter,tracing,tracepoint,raw_tracepoint"
    // With a file for the verifier's log, loads follow one another.
    let serial = try load(names, rule: rule, ["--verifier-log", directory.file("log")])
    #expect(serial.answers.count == names.count && serial.pins.count > names.count)
    let decisions = Set(serial.answers.map { $0["decision"]?.compact })
    #expect(decisions == [#""allow""#, #""deny""#, nil], "some are loaded, some denied, some fail")
    let codes = Set(serial.answers.compactMap { $0["error"]?["code"]?.compact })
    #expect(codes.isSuperset(of: [#""erofs.not-found""#, #""load.pin""#]) && codes.count >= 3, "\(codes)")

    for _ in 0..<3 {
      let run = try load(names, rule: rule)
      #expect(run.status == serial.status && run.answers == serial.answers && run.pins == serial.pins)
      #expect(run.errors.withoutLog == serial.errors.withoutLog)
      #expect(run.records("decision").map(\.comparable) == serial.records("decision").map(\.comparable))
      expectOrder(of: run)
      #expect(run.outcomes == serial.outcomes)
    }
  }

  /// Each attempt is on record before its decision, and that before its outcome, under an event of its own.
  private func expectOrder(of run: Run) {
    var attempted: Set<String> = []
    var decided: Set<String> = []
    var ended: Set<String> = []
    for record in run.records {
      guard case .string(let event)? = record["event"] else {
        Issue.record("no event: \(record.compact)")
        continue
      }
      if record["stage"] == "attempt" {
        #expect(attempted.insert(event).inserted && !decided.contains(event) && !ended.contains(event))
      } else if record["stage"] == "decision" {
        #expect(decided.insert(event).inserted && !ended.contains(event))
      } else {
        #expect(ended.insert(event).inserted)
        if record["outcome"]?["result"] != "refused" { #expect(decided.contains(event)) }
      }
    }
    let denied = run.records("decision").filter { $0["decision"] == "deny" }.count
    #expect(attempted.count == run.answers.count && ended.count == attempted.count - denied)
  }

  @Test func leavesNothingWhenAllAreRefused() throws {
    let names = try objects()
    let denied = try load(names, rule: "x_prog_type=lsm")
    #expect(denied.status != 0 && denied.pins.isEmpty)
    // A directory stands where the program's pin should be, so each load fails at its last step.
    for number in 0..<16 { try Tools.run("mkdir", "-p", "\(pins.path)/run/all/\(number)/prog/xdp_counter") }
    let before = try pins.tree()
    for number in 0..<16 {
      try directory.write("progs/\(number).bpf.o", directory.read("demo/xdp_counter.bpf.o"))
    }
    try Tools.run("rm", directory.file("progs.raw"), directory.file("progs.roothash"))
    let built = try VerityBPFCommand.run(["build-image", directory.file("progs"), "-o", directory.file("progs.raw")])
    try #require(built.status == 0, "\(built.errors)")
    let failed = try load((0..<16).map { "\($0).bpf.o" }, rule: "x_witness=USERSPACE")
    #expect(failed.status != 0 && failed.pins == before)
    #expect(failed.answers.allSatisfy { $0["error"]?["code"] == "load.pin" })
  }
}

extension SeveralLoadsTests.Run {
  /// What became of what was decided, by the decision's object and path, in the order of the decisions.
  fileprivate var outcomes: [String] {
    records("decision").map { decision in
      let outcome = records("outcome").first { $0["event"] == decision["event"] }
      return "\(decision["path_in_image"]?.compact ?? "") \(outcome?["outcome"]?.comparable.compact ?? "none")"
    }
  }
}

extension JSONValue {
  /// Without what no two runs have in common.
  fileprivate var comparable: JSONValue {
    switch self {
    case .array(let values): .array(values.map(\.comparable))
    case .object(let members):
      .object(
        members.filter {
          !["id", "load_time", "time", "event", "pid", "start_time", "found", "details"].contains($0.name)
        }
        .map { Member($0.name, $0.value.comparable) })
    default: self
    }
  }
}

extension String {
  /// Diagnostics without the verifier's words, which name addresses and times, and where its log was put.
  fileprivate var withoutLog: [Substring] {
    split(separator: "\n").filter { $0.hasPrefix("error") }
  }
}
