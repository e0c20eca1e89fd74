import Base
import Linux
import TestSupport
import Testing
import Workbench

@testable import verity_bpf

/// The record survives the process: whatever ends a load, the log says who asked for what, and how it ended.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading needs root"))
final class AttemptTests {
  private let directory: TemporaryDirectory
  private let object: String
  private let policy: String
  private let pins: String
  private var audit: String { directory.file("audit") }

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    object = directory.file("progs/socket_filter.bpf.o")
    policy = try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func records(_ name: String = "audit") throws -> [JSONValue] {
    try directory.read("\(name)/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  private func load(_ more: [String] = []) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["load", "--object", object, "--policy", policy, "--audit-dir", audit] + more)
  }

  /// Every attempt is closed once, by an outcome or a denial, and every record fits its schema.
  private func expectClosed(_ records: [JSONValue], open: Int = 0) throws {
    let schema = try SchemaTests.schema("audit")
    var closings: [String: Int] = [:]
    for record in records {
      #expect(schema.faults(in: record) == [], "\(record.compact)")
      let closes = record["stage"] == "outcome" || record["decision"] == "deny"
      closings[record["event"]?.compact ?? "", default: 0] += closes ? 1 : 0
    }
    #expect(closings.values.filter { $0 == 0 }.count == open && closings.values.allSatisfy { $0 < 2 })
  }

  /// Sends a signal to a load that waits for its policy. Returns how it ended; 0 when the signal changed nothing.
  private func signal(_ signal: Int32, ignoring: Bool = false) throws -> Int {
    let fifo = directory.file("policy.fifo")
    if (try? FileStatus.of(path: fifo)) == nil { try Tools.run("mkfifo", fifo) }
    // A shell without job control starts what runs beside it with SIGINT and SIGQUIT ignored.
    let start = ignoring ? "nohup" : "env --default-signal"
    let script = """
      ulimit -c 0; cd "$DIR"
      \(start) "$@" > /dev/null 2>&1 & load=$!
      for i in $(seq 500); do ls audit 2> /dev/null | grep -q ^running && break; sleep 0.01; done
      sleep 0.05; kill -\(signal) $load
      lives() { [ -d /proc/$load ] && ! grep -q '^State:.Z' /proc/$load/status; }
      for i in $(seq 20); do lives || break; sleep 0.01; done
      if lives; then timeout 5 cp "$POLICY" policy.fifo; fi
      wait $load
      """
    return try Subprocess.run(
      [
        "env", "DIR=\(directory.path)", "POLICY=\(policy)", "sh", "-c", script, "sh", VerityBPFCommand.path, "load",
        "--object", object, "--policy", fifo, "--audit-dir", audit,
      ]
    ).status
  }

  /// A request to end: undone, on record, and ended by the signal.
  @Test func requestsAreRecorded() throws {
    for number: Int32 in [1, 2, 3, 10, 12, 14, 15, 16, 24, 26, 27, 29, 30, 34, 64] {
      #expect(try signal(number) == 128 + Int(number))
      let records = try records()
      #expect(records.map { $0["stage"] } == ["attempt", "outcome"], "signal \(number)")
      #expect(records.last?["outcome"]?["result"] == "interrupted" && records.last?["file"] == .string(object))
      try expectClosed(records)
      #expect(try Directory.names(audit) == ["audit.jsonl", "audit.lock", "audit.log", "audit.spare"])
      try Tools.run("rm", "-r", audit)
    }
  }

  @Test func othersChangeNothing() throws {
    for number: Int32 in [13, 25, 17, 28] {
      #expect(try signal(number) == 0)
      #expect(try records().last?["outcome"]?["result"] == "loaded", "signal \(number)")
    }
  }

  /// What nohup(1) asks for is kept.
  @Test func whatIsIgnoredStaysIgnored() throws {
    #expect(try signal(1, ignoring: true) == 0)
    #expect(try records().last?["outcome"]?["result"] == "loaded")
  }

  /// A crash, as in a parser, and SIGKILL: the attempt stays open, and the next run closes it.
  @Test func crashesAreClosedLater() throws {
    for number: Int32 in [9, 11, 6, 5, 4, 7, 8, 31] {
      #expect(try signal(number) == 128 + Int(number))
      #expect(try records().map { $0["stage"] } == ["attempt"], "signal \(number)")
      #expect(try load(["--json"]).status == 0)
      let records = try records()
      #expect(records.map { $0["stage"] } == ["attempt", "outcome", "attempt", "decision", "outcome"])
      #expect(records[1]["event"] == records[0]["event"] && records[1]["outcome"]?["result"] == "crashed")
      #expect(records[1]["requester"] == records[0]["requester"] && records[1]["path"] == .string(object))
      try expectClosed(records)
      #expect(try Directory.names(audit) == ["audit.jsonl", "audit.lock", "audit.log", "audit.spare"])
      try Tools.run("rm", "-r", audit)
    }
  }

  /// A change of a policy closes them too, and a run that is alive is not closed.
  @Test func onlyTheDeadAreClosed() throws {
    let fifo = directory.file("policy.fifo")
    try Tools.run("mkfifo", fifo)
    let script = """
      "$@" > /dev/null 2>&1 & load=$!
      for i in $(seq 500); do ls "$AUDIT" 2> /dev/null | grep -q ^running && break; sleep 0.01; done
      "$1" policy install --store "$AUDIT/none" --audit-dir "$AUDIT" "$POLICY" > /dev/null 2>&1
      timeout 5 cp "$POLICY" "$FIFO"; wait $load
      """
    let status = try Subprocess.run([
      "env", "AUDIT=\(audit)", "POLICY=\(policy)", "FIFO=\(fifo)", "sh", "-c", script, "sh", VerityBPFCommand.path,
      "load", "--object", object, "--policy", fifo, "--audit-dir", audit,
    ]).status
    #expect(status == 0)
    #expect(try records().map { $0["stage"] } == ["attempt", "decision", "outcome"])
  }

  /// Refusals before a policy decided, at whichever stage, have the fields of a denial, in both forms.
  @Test func refusalsSayWhoAndWhat() throws {
    let image = directory.file("progs.raw")
    try #require(try VerityBPFCommand.run(["build-image", directory.file("progs"), "-o", image]).status == 0)
    let rootHash = String(decoding: try directory.read("progs.roothash"), as: UTF8.self).trimmed
    let bytes = try directory.read("progs.raw")
    var tampered = bytes
    for block in 1..<16 { tampered[block * 4096 + 100] ^= 0xff }
    for (name, content) in [("tampered", tampered), ("cut", Array(bytes.prefix(9000)))] {
      try directory.write("\(name).raw", content)
      try Tools.run("cp", directory.file("progs.roothash"), directory.file("\(name).roothash"))
    }
    let loose = try directory.write("loose.bpf.o", "no object")
    let broken = try directory.write("broken.pol", "policy_name=\n")
    let inImage = { (name: String, object: String) in ["--image", "\(name).raw", "--object", object] }
    let cases: [(words: [String], policy: String, path: String, device: String)] = [
      (inImage("tampered", "socket_filter.bpf.o"), policy, "/socket_filter.bpf.o", "\(directory.path)/tampered.raw"),
      (inImage("cut", "socket_filter.bpf.o"), policy, "/socket_filter.bpf.o", "\(directory.path)/cut.raw"),
      (inImage("progs", "missing.bpf.o"), policy, "/missing.bpf.o", "\(directory.path)/progs.raw"),
      (inImage("absent", "a.bpf.o"), policy, "/a.bpf.o", "\(directory.path)/absent.raw"),
      (inImage("progs", "socket_filter.bpf.o"), broken, "/socket_filter.bpf.o", "\(directory.path)/progs.raw"),
      (["--object", loose], policy, loose, ""), (["--object", object], broken, object, ""),
      (["--object", object, "--trust-anchors", "/nonexistent"], policy, object, ""),
      (["--fd", "77"], policy, "", ""),
    ]
    for (words, policy, path, device) in cases {
      let result = try VerityBPFCommand.run(
        ["load"] + words + ["--policy", policy, "--audit-dir", audit], in: directory.path)
      #expect(result.status != 0 && result.status != 2, "\(words): \(result.errors)")
      let record = try #require(try records().last)
      #expect(record["stage"] == "outcome" && record["outcome"]?["result"] == "refused", "\(words)")
      #expect(result.errors.contains("error[\(record["outcome"]?["code"]?.plain ?? "none")]"), "\(words)")
      #expect(record["op"] == "BPF_PROG_LOAD" && record["policy"]?["file"] == .string(policy))
      for member in ["pid", "uid", "gid", "comm", "start_time", "exe"] {
        #expect(record["requester"]?[member] != nil && record["requester"]?[member] != .null, "\(member)")
      }
      let last = try #require(try directory.read("audit/audit.log").split(separator: 0x0a).last)
      guard case .record(_, .refusal(let refusal)) = AuditReader.read(last) else {
        Issue.record("no refusal: \(String(decoding: last, as: UTF8.self))")
        continue
      }
      #expect(record["outcome"]?["code"] == .string(refusal.code))
      if words[0] == "--fd" { continue }
      #expect(refusal.access.file?.path == Array(path.utf8), "\(words)")
      if words[0] == "--image" {
        #expect(refusal.access.file?.device == Array(device.utf8) && record["image"] == .string(words[1]))
        if words[1] != "absent.raw" { #expect(record["root_hash"] == .string("sha256:\(rootHash)"), "\(words)") }
      } else {
        #expect(refusal.access.file?.device.isEmpty == false && record["file"] == .string(path))
      }
    }
    try expectClosed(try records())
    // None of it is a decision that could be decided again.
    let replayed = try VerityBPFCommand.run(["policy", "replay", policy, "--audit-log", "\(audit)/audit.jsonl"])
    #expect(replayed.status == 1 && replayed.errors.contains("audit.no-decisions"))
    #expect(replayed.output.contains("0 would change, 0 stay, 0 cannot be told from the log, 0 damaged lines"))
    #expect(replayed.output.contains("without a decision: \(cases.count) refusals"), "\(replayed.output)")
  }

  /// Killed at many moments: nothing is unrecorded, and what is left has its record.
  @Test func killedAtAnyMoment() throws {
    let script = """
      cd "$DIR"; i=0
      while [ $i -lt 60 ]; do
        "$@" --pin-path "bpf/load$i" > /dev/null 2>&1 & load=$!
        sleep 0.0$(printf %02d $((i % 40))); kill -9 $load 2> /dev/null; wait $load 2> /dev/null
        i=$((i + 1))
      done
      "$@" > /dev/null
      """
    let status = try Subprocess.run([
      "env", "DIR=\(directory.path)", "sh", "-c", script, "sh", VerityBPFCommand.path, "load", "--object", object,
      "--policy", policy, "--audit-dir", audit,
    ]).status
    #expect(status == 0)
    let records = try records()
    try expectClosed(records)
    #expect(try Directory.names(audit).allSatisfy { $0.hasPrefix("audit.") })
    // A program that is pinned was loaded by the record, or by a run that the record says has crashed.
    for name in try Directory.names(pins) where name.hasPrefix("load") {
      let attempts = records.filter { $0["pin_path"] == .string("\(pins)/\(name)") && $0["stage"] == "attempt" }
      let ends = records.filter { $0["event"] == attempts.first?["event"] && $0["stage"] == "outcome" }
      #expect(attempts.count == 1 && ends.count == 1, "\(name)")
      let pinned = try Tools.run("find", "\(pins)/\(name)", "-type", "f")
      if ends.first?["outcome"]?["result"] == "failed" { #expect(pinned.isEmpty, "\(name)") }
    }
  }

  /// Many runs side by side: whole records, each attempt closed once.
  @Test func manySideBySide() throws {
    let script = """
      i=0; while [ $i -lt 200 ]; do "$@" > /dev/null 2>&1 & i=$((i + 1)); [ $((i % 50)) = 0 ] && wait; done; wait
      """
    try Subprocess.run([
      "sh", "-c", script, "sh", VerityBPFCommand.path, "load", "--object", object, "--policy", policy, "--audit-dir",
      audit,
    ]).expectSuccess()
    let records = try records()
    #expect(records.count == 600 && records.filter { $0["outcome"]?["result"] == "loaded" }.count == 200)
    try expectClosed(records)
    let text = try directory.read("audit/audit.log").split(separator: 0x0a).map { AuditReader.read($0) }
    #expect(text.count == 400)
    for case .damaged(let reason) in text { Issue.record("\(reason)") }
    #expect(try Directory.names(audit) == ["audit.jsonl", "audit.lock", "audit.log", "audit.spare"])
  }

  /// What a choice of --audit-sync waits for, as strace(1) sees it.
  @Test(arguments: [("none", 0), ("decision", 4), ("always", 5)])
  func syncsWhatWasAskedFor(choice: String, count: Int) throws {
    let trace = directory.file("trace")
    let result = try VerityBPFCommand.run(
      ["load", "--object", object, "--policy", policy, "--audit-dir", audit, "--audit-sync", choice],
      wrapper: ["strace", "-f", "-qq", "-e", "trace=fdatasync,bpf", "-o", trace])
    #expect(result.status == 0, "\(result.errors)")
    let calls = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
    #expect(calls.filter { $0.contains("fdatasync(") }.count == count)
    // Those of attempt and decision come before the program.
    let program = try #require(calls.lastIndex { $0.contains("BPF_PROG_LOAD") })
    #expect(calls[..<program].filter { $0.contains("fdatasync(") }.count == min(count, 4))
  }
}

extension JSONValue {
  fileprivate var plain: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
}

extension Subprocess.Result {
  fileprivate func expectSuccess() { #expect(status == 0, "\(text)") }
}
