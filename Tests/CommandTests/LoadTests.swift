import Workbench
import Base
import Linux
import TestSupport
import Testing

/// `load` as it should be: every demo program by descriptor and from the image, judged by facts about it, on record.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loop devices, mounts and loading need root"))
struct LoadTests {
  static let programs = [
    "egress_filter", "exec_logger", "runq_latency", "socket_filter", "task_list", "tcx_classifier", "xdp_counter",
  ]

  let directory: TemporaryDirectory
  let image: String
  let rootHash: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    image = directory.file("progs.raw")
    let built = try VerityBPFCommand.run([
      "build-image", directory.file("progs"), "-o", image, "--name", "demo", "--version", "1.2.3", "--json",
    ])
    try #require(built.status == 0, "\(built.errors)")
    rootHash = String(decoding: try directory.read("progs.roothash"), as: UTF8.self)
  }

  private func policy(_ condition: String) throws -> String {
    try directory.write(
      "test.pol",
      "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(condition) action=ALLOW\n")
  }

  private func load(_ arguments: [String], policy: String, object: String? = nil) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      ["load"] + arguments + ["--policy", policy, "--json", "--audit-dir", directory.file("audit")], object: object)
  }

  @Test(arguments: programs)
  func loadsByDescriptorAndFromTheImage(program: String) throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash)")
    let mounted = try MountedImage(image, in: directory)
    let byDescriptor = try load(["--fd", "3"], policy: policy, object: mounted.file("\(program).bpf.o"))
    #expect(byDescriptor.status == 0, "\(byDescriptor.errors)")
    let fromImage = try load(["--image", image, "--object", "\(program).bpf.o"], policy: policy)
    #expect(fromImage.status == 0, "\(fromImage.errors)")

    // Both ways put the same instructions into the kernel: the kernel's own hash over them says so.
    let tags = try [byDescriptor, fromImage].map { result in
      guard case .array(let programs)? = try result.json()["programs"] else { return [JSONValue?]() }
      return programs.map { $0["tag"] }
    }
    #expect(!tags[0].isEmpty && tags[0] == tags[1])
    #expect(try byDescriptor.json()["provenance"]?["image"]?["version"] == "1.2.3")
    #expect(try byDescriptor.json()["provenance"]?["loop"]?["read_only"] == true)
  }

  struct Condition: Sendable {
    let text: String
    let isAllowed: Bool
  }

  @Test(arguments: [
    Condition(text: "x_witness=USERSPACE", isAllowed: true),
    Condition(text: "x_witness=KERNEL", isAllowed: false),
    Condition(text: "x_witness=BOTH", isAllowed: false),
    Condition(text: "x_prog_type=xdp", isAllowed: true),
    Condition(text: "x_prog_type=tracing", isAllowed: false),
    Condition(text: "x_path=/xdp_counter.bpf.o", isAllowed: true),
    Condition(text: "x_path=/other.bpf.o", isAllowed: false),
    Condition(text: "x_image_name=demo x_image_version_min=1.2.0", isAllowed: true),
    Condition(text: "x_image_name=demo x_image_version_min=1.3.0", isAllowed: false),
    Condition(text: "x_helpers=map_lookup_elem", isAllowed: true),
    Condition(text: "x_helpers=map_update_elem", isAllowed: false),
    Condition(text: "x_lockdown=CONFIDENTIALITY", isAllowed: true),
    Condition(text: "dmverity_signature=TRUE", isAllowed: false),
    Condition(text: "bpf_signature=OK", isAllowed: false),
    Condition(text: "bpf_kernel=TRUE", isAllowed: false),
  ])
  func judgesByFacts(condition: Condition) throws {
    let result = try load(
      ["--image", image, "--object", "xdp_counter.bpf.o", "--dry-run"], policy: try policy(condition.text))
    #expect(result.status == (condition.isAllowed ? 0 : 2), "\(condition.text): \(result.errors)")
  }

  @Test func recordsTheDecisionAndItsOutcome() throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash)")
    let mounted = try MountedImage(image, in: directory)
    let result = try load(["--fd", "3"], policy: policy, object: mounted.file("xdp_counter.bpf.o"))
    #expect(result.status == 0, "\(result.errors)")

    let text = try directory.read("audit/audit.log").split(separator: 0x0a)
    try #require(text.count == 2)
    guard case .record(_, .attempt(let attempt)) = AuditReader.read(text[0]),
      case .record(_, .access(let access)) = AuditReader.read(text[1])
    else {
      Issue.record("not an attempt and a decision: \(String(decoding: text.joined(), as: UTF8.self))")
      return
    }
    #expect(attempt.stage == .attempt && attempt.pid == access.pid && attempt.file?.device == access.file?.device)
    #expect(access.operation == "BPF_PROG_LOAD")
    #expect(access.file?.path == Array("/xdp_counter.bpf.o".utf8))
    #expect(access.rule == "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW")

    let objects = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    #expect(objects.map { $0["stage"] } == ["attempt", "decision", "outcome"])
    #expect(objects.allSatisfy { $0["event"] == .string(attempt.event) })
    #expect(objects[0]["requester"] == objects[1]["requester"] && objects[0]["ino"] != nil)
    #expect(objects[2]["outcome"]?["result"] == "loaded")
    #expect(try objects[2]["outcome"]?["programs"] == recordedPrograms(result))
    #expect(try Tools.run("stat", "-c", "%a", directory.file("audit/audit.log")).trimmed == "600")
  }

  /// A denial that nothing can answer stands before every ALLOW, and is told.
  @Test func listsDenialsThatAreNotRuledOut() throws {
    let inert = "op=BPF_PROG_LOAD boot_verified=FALSE action=DENY"
    let rules =
      "DEFAULT action=ALLOW\n\(inert)\n"
      + "op=BPF_PROG_LOAD boot_verified=FALSE x_prog_type=tracing action=DENY\n"
    let policy = try directory.write("inert.pol", "policy_name=inert policy_version=1.0.0\n\(rules)")
    let object = ["--image", image, "--object", "xdp_counter.bpf.o"]
    let listed: JSONValue = [["line": 3, "rule": .string(inert), "unknown": ["boot_verified"]]]
    let result = try load(object, policy: policy)
    #expect(result.status == 2, "\(result.errors)")
    let told = "DENY at line 3 is not ruled out: what it asks of boot_verified is not known"
    #expect(result.errors.contains("\(told): \(inert)") && result.errors.contains("before line 3"))
    #expect(try result.json()["unknown_deny_rules"] == listed)
    #expect(try SchemaTests.schema("load").faults(in: result.json()) == [])
    let record = try JSONValue.parse(
      try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { Array($0) }[1])
    #expect(record["unknown_deny_rules"] == listed)
    #expect(try SchemaTests.schema("audit").faults(in: record) == [])
    let watching = try directory.write("w.pol", "policy_name=w policy_version=1.0.0 x_enforcing=FALSE\n\(rules)")
    let people = try VerityBPFCommand.run(["load"] + object + ["--policy", watching, "--dry-run"])
    #expect(people.status == 0 && people.output.contains("unknown  \(told)\n"))

    let strict = try directory.write(
      "strict.pol", "policy_name=s policy_version=1.0.0\nDEFAULT action=DENY\n\(inert)\n")
    let denied = try VerityBPFCommand.run(["load"] + object + ["--policy", strict, "--dry-run"])
    #expect(denied.status == 2 && denied.errors.contains(told))
  }

  @Test func explainsAndReplaysWhatLoadDecided() throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash) x_prog_type=xdp")
    let object = ["--image", image, "--object", "xdp_counter.bpf.o"]
    #expect(try load(object, policy: policy).status == 0)
    let explained = try VerityBPFCommand.run(["policy", "explain", policy] + object + ["--json"])
    #expect(explained.status == 0, "\(explained.errors)")
    #expect(try explained.json()["decision"] == "allow")
    let mounted = try MountedImage(image, in: directory)
    let byDescriptor = try VerityBPFCommand.run(
      ["policy", "explain", policy, "--fd", "3"], object: mounted.file("task_list.bpf.o"))
    #expect(byDescriptor.status == 2, "\(byDescriptor.output)\(byDescriptor.errors)")

    // The record holds the facts, so a stricter policy can be tried on what happened.
    let stricter = try directory.write(
      "stricter.pol", "policy_name=test policy_version=1.0.1\nDEFAULT action=DENY\n")
    let replayed = try VerityBPFCommand.run([
      "policy", "replay", stricter, "--audit-log", directory.file("audit/audit.jsonl"), "--json",
    ])
    #expect(!replayed.output.isEmpty, "\(replayed.errors)")
    #expect(replayed.output.contains("\"deny\""), "\(replayed.output)")
    #expect(!replayed.output.contains("damaged"), "\(replayed.output)")
  }

  private func recordedPrograms(_ result: VerityBPFCommand.Result) throws -> JSONValue? {
    guard case .array(let programs)? = try result.json()["programs"] else { return nil }
    return .array(
      programs.map {
        [
          "name": $0["name"] ?? nil, "id": $0["id"] ?? nil, "tag": $0["tag"] ?? nil,
          "load_time": $0["load_time"] ?? nil,
        ]
      })
  }

  @Test func pinsAndPrintsWhere() throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash)")
    let pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
    defer { _ = try? Tools.run("umount", pins) }
    let result = try load(
      ["--image", image, "--object", "xdp_counter.bpf.o", "--pin-path", "\(pins)/demo/xdp"], policy: policy)
    #expect(result.status == 0, "\(result.errors)")
    guard case .array(let paths)? = try result.json()["pins"] else {
      Issue.record("no pins")
      return
    }
    #expect(paths.contains(.string("\(pins)/demo/xdp/prog/xdp_counter")))
    // bpftool finds the program under its pin, with the identity that was printed.
    let shown = try Tools.run("bpftool", "--json", "prog", "show", "pinned", "\(pins)/demo/xdp/prog/xdp_counter")
    let json = try JSONValue.parse(Array(shown.utf8))
    guard case .array(let programs)? = try result.json()["programs"] else { return }
    #expect(json["id"] == programs.first?["id"])
    #expect(json["tag"] == programs.first?["tag"])

    // A second load on the same path has nothing to say and leaves the first one alone.
    let again = try load(
      ["--image", image, "--object", "xdp_counter.bpf.o", "--pin-path", "\(pins)/demo/xdp"], policy: policy)
    #expect(again.status != 0)
    try Tools.run("bpftool", "prog", "show", "pinned", "\(pins)/demo/xdp/prog/xdp_counter")
  }

  /// Several objects in one run: each by itself, in order; the one that fails keeps out nobody else.
  @Test func loadsSeveral() throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash) x_prog_type=xdp,tracing,raw_tracepoint")
    let pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
    defer { _ = try? Tools.run("umount", pins) }
    let names = ["xdp_counter", "missing", "socket_filter", "runq_latency", "xdp_counter"]
    let result = try load(
      ["--image", image, "--pin-path", "\(pins)/all"] + names.flatMap { ["--object", "\($0).bpf.o"] }, policy: policy)
    let answers = try result.output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
    try #require(answers.count == names.count, "\(result.errors)")
    for (name, answer) in zip(names, answers) {
      #expect(answer["schema"] == "verity-bpf/load/1" && answer["request"] == ["object": .string("\(name).bpf.o")])
    }
    #expect(answers.map { $0["decision"] } == ["allow", nil, "deny", "allow", nil])
    // Not in the image; and the last one's pins are taken.
    #expect(answers[1]["error"]?["code"] == "erofs.not-found" && answers[4]["error"]?["code"] != nil)
    // The first failure is the exit code: what an object alone would have ended with.
    let alone = try load(["--image", image, "--object", "missing.bpf.o"], policy: policy)
    #expect(result.status == alone.status && result.status != 0 && result.status != 2)
    for name in ["xdp_counter", "runq_latency"] {
      #expect(!(try Directory.names("\(pins)/all/\(name)/prog")).isEmpty)
    }
    #expect(try Directory.names("\(pins)/all") == ["runq_latency", "xdp_counter"])

    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    // An attempt each; decision and outcome of what was allowed, a decision for the DENY, an outcome for what was not
    // found; and for the run with the missing object alone.
    #expect(records.map { $0["stage"] }.filter { $0 == "attempt" }.count == 6)
    #expect(records.map { $0["stage"] }.filter { $0 == "decision" }.count == 4 && records.count == 15)
  }

  @Test func loadsSeveralDescriptors() throws {
    let policy = try policy("dmverity_roothash=sha256:\(rootHash)")
    let mounted = try MountedImage(image, in: directory)
    let opens = "exec \"$@\" 4<'\(mounted.file("task_list.bpf.o"))'"
    let result = try VerityBPFCommand.run(
      ["load", "--fd", "3", "--fd", "4", "--policy", policy, "--audit-dir", directory.file("audit")],
      object: mounted.file("xdp_counter.bpf.o"), wrapper: ["sh", "-c", opens, "sh"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("object   fd 3\n") && result.output.contains("object   fd 4\n"))
    #expect(result.output.contains("program  xdp_counter") && result.output.contains("program  task_list"))

    // One that is not open was not handed over, and nothing is begun.
    let closed = try load(["--fd", "3", "--fd", "9"], policy: policy, object: mounted.file("xdp_counter.bpf.o"))
    #expect(closed.status == 4, "\(closed.errors)")
    #expect(try VerityBPFCommand.run(["provenance", "--fd", "3", "--fd", "3"]).status == 64)
  }
}
