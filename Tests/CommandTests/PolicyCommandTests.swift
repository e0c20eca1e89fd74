import Workbench
import Base
import Linux
import TestSupport
import Testing

/// `policy` as scripts use it. None of this needs root.
@Suite struct PolicyCommandTests {
  private let directory: TemporaryDirectory
  private let hash = String(repeating: "9c", count: 32)

  init() throws { directory = try TemporaryDirectory() }

  private func run(_ arguments: String...) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["policy"] + arguments, in: directory.path)
  }

  private func objects(_ result: VerityBPFCommand.Result) throws -> [JSONValue] {
    try result.output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
  }

  private func write(_ name: String, _ rules: String, version: String = "1.0.0") throws {
    _ = try directory.write(name, "policy_name=t policy_version=\(version)\nDEFAULT action=DENY\n\(rules)")
  }

  @Test func checkGivesTheKernelsAnswer() throws {
    try write("good.pol", "op=EXECUTE boot_verified=TRUE action=ALLOW\n")
    try write("bad.pol", "op=EXECUTE boot_verified=true action=ALLOW\n")
    try write("ours.pol", "op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW\n")
    let result = try run("check", "--dialect", "kernel", "--json", "good.pol", "bad.pol", "ours.pol")
    #expect(result.status == 3)
    let answers = try objects(result)
    #expect(answers.map { $0["kernel_answer"] } == ["ok", "EBADMSG", "EBADMSG"])
    #expect(answers.map { $0["name"] } == ["t", .null, .null] && answers[0]["version"] == "1.0.0")
    #expect(try run("check", "good.pol", "ours.pol").status == 0)
    let gcc = try run("check", "--format", "gcc", "bad.pol")
    #expect(gcc.status == 3 && gcc.output.hasPrefix("bad.pol:3:26: error: "))
    let sarif = try run("check", "--format", "sarif", "bad.pol")
    #expect(try sarif.json()["version"] == "2.1.0")
    #expect(try run("check", "missing.pol").status == 1)
    #expect(try run("check", "--dialect", "other", "good.pol").status == 64)
  }

  @Test func explainAnswersEachSetOfFacts() throws {
    try write("t.pol", "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash) action=ALLOW\n")
    _ = try directory.write(
      "facts.json", "[{\"op\":\"BPF_PROG_LOAD\",\"dmverity_roothash\":\"sha256:\(hash)\"},{\"op\":\"BPF_PROG_LOAD\"}]")
    let result = try run("explain", "--facts", "facts.json", "--json", "t.pol")
    #expect(result.status == 2)
    let answers = try objects(result)
    #expect(answers.map { $0["decision"] } == ["allow", "deny"])
    #expect(answers[0]["rule"]?["line"] == 3 && answers[1]["rule"]?["text"] == "DEFAULT action=DENY")
    let people = try run("explain", "--facts", "facts.json", "t.pol")
    #expect(people.output.contains("✓ dmverity_roothash=") && people.output.contains("DENY by DEFAULT at line 2"))
    _ = try directory.write("wrong.json", "{\"op\":\"EXECUTE\",\n \"nothing\":1}")
    let wrong = try run("explain", "--facts", "wrong.json", "t.pol")
    #expect(wrong.status == 3 && wrong.errors.contains("wrong.json:2:2"))
    let record = try run(
      "explain", "t.pol", "--json", "--record",
      "type=1420 audit(1.000:1): ipe_op=KMODULE ipe_hook=KERNEL_READ enforcing=1 pid=1 comm=\"a\" path=? dev=? ino=? rule=\"DEFAULT action=DENY\""
    )
    #expect(try record.json()["decision"] == "deny")
  }

  /// A rule that nothing can answer is an error of `check`, and what it did not deny is said wherever it is decided.
  @Test func whatIsNeverKnown() throws {
    try write(
      "t.pol", "op=BPF_PROG_LOAD boot_verified=FALSE action=DENY\nop=BPF_PROG_LOAD action=ALLOW\n")
    let check = try run("check", "t.pol")
    #expect(
      check.status == 3
        && check.output.contains("t.pol:3:18: error[policy.never-known]: `boot_verified`"))
    let answer = try run("check", "--json", "t.pol").json()
    #expect(answer["valid"] == false)
    _ = try directory.write("facts.json", "{\"op\":\"BPF_PROG_LOAD\"}")
    let people = try run("explain", "--facts", "facts.json", "t.pol")
    #expect(
      people.status == 2
        && people.output.contains(
          "DENY at line 3 is not ruled out: what it asks of boot_verified is not known")
    )
    let explained = try run("explain", "--facts", "facts.json", "--json", "t.pol").json()
    #expect(
      explained["unknown_deny_rules"]
        == [
          [
            "line": 3, "rule": "op=BPF_PROG_LOAD boot_verified=FALSE action=DENY",
            "unknown": ["boot_verified"],
          ]
        ])
    #expect(try SchemaTests.schema("policy-explain").faults(in: explained) == [])
    _ = try directory.write("t.cases", "case \"a\"\n given op=BPF_PROG_LOAD\n expect DENY\n")
    let tested = try run("test", "t.pol", "t.cases")
    #expect(tested.status == 0 && tested.output.contains("DENY at line 3 is not ruled out"))
    // A rule that is merely not ruled out was not tried.
    #expect(try run("test", "t.pol", "t.cases", "--json").json()["coverage"] == 0)
    #expect(try SchemaTests.schema("policy-test").faults(in: run("test", "t.pol", "t.cases", "--json").json()) == [])
    #expect(try VerityBPFCommand.run(["explain-error", "policy.never-known"]).status == 0)
  }

  @Test func fmtChecksAndWrites() throws {
    _ = try directory.write("t.pol", "policy_name=t   policy_version=1.0.0\n\n\nDEFAULT\taction=DENY#x\n")
    // A glued comment is an error of the own dialect; the kernel's takes it.
    #expect(try run("fmt", "t.pol").status == 3)
    #expect(try run("fmt", "--dialect", "kernel", "--check", "t.pol").status == 1)
    #expect(try run("fmt", "--dialect", "kernel", "--write", "t.pol").status == 0)
    #expect(
      String(decoding: try directory.read("t.pol"), as: UTF8.self)
        == "policy_name=t policy_version=1.0.0\n\nDEFAULT action=DENY #x\n")
    #expect(try run("fmt", "--check", "t.pol").status == 0)
    #expect(try run("fmt", "--json", "t.pol").json()["text"] != nil)
    #expect(try run("fmt", "--json", "--check", "t.pol").json()["text"] == nil)
  }

  /// A policy author's quarter of an hour: generate, check, test, explain a denial, fix, diff, sign, activate.
  @Test func aQuarterOfAnHour() throws {
    try Directory.create(directory.file("progs"))
    _ = try directory.write("progs/readme", "an image with one file")
    let image = try ForeignImage.build(directory.file("progs"), at: directory.file("tools.raw"))
    let hash = image.rootHash.trimmed
    _ = try directory.write("tools.roothash", self.hash)
    // The root hash beside the image is another image's.
    #expect(try run("generate", "tools.raw").status == 4)
    _ = try directory.write("tools.roothash", hash)
    let generated = try run("generate", "tools.raw", "--name", "bpf")
    #expect(generated.status == 0)
    _ = try directory.write("bpf.pol", generated.output)
    #expect(try run("check", "--strict", "bpf.pol").status == 0)

    let cases = """
      case "the tools' image"
        given op=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash)
        expect ALLOW
      case "a signed program"
        given op=BPF_PROG_LOAD bpf_signature=OK
        expect ALLOW

      """
    _ = try directory.write("bpf.cases", cases)
    let failing = try run("test", "bpf.pol", "bpf.cases", "--coverage", "--junit", "out.xml")
    #expect(failing.status == 1 && failing.output.contains("FAILED a signed program"))
    #expect(String(decoding: try directory.read("out.xml"), as: UTF8.self).contains("failures=\"1\""))

    let fixed = generated.output.replacing("1.0.0", with: "1.1.0") + "op=BPF_PROG_LOAD bpf_signature=OK action=ALLOW\n"
    _ = try directory.write("new.pol", fixed)
    #expect(try run("test", "new.pol", ".", "--json").status == 0)
    let diff = try run("diff", "bpf.pol", "new.pol", "--json", "--exit-code")
    #expect(diff.status == 1)
    guard case .array(let changes)? = try diff.json()["changes"] else {
      Issue.record("no changes: \(diff.output)")
      return
    }
    #expect(changes.count == 1 && changes[0]["after"]?["decision"] == "allow")
    #expect(changes[0]["facts"]?["bpf_signature"] == "OK")

    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file("key"), "-out",
      directory.file("crt"), "-subj", "/CN=author", "-days", "2")
    let store = ["--store", "store", "--audit-dir", "audit"]
    func onStore(_ arguments: String...) throws -> VerityBPFCommand.Result {
      try VerityBPFCommand.run(["policy"] + arguments + store, in: directory.path)
    }
    for name in ["bpf", "new"] {
      #expect(try run("sign", "\(name).pol", "--certificate", "crt", "--private-key", "key").status == 0)
    }
    #expect(try onStore("list").status == 1)
    #expect(try onStore("init", "--certificate", "crt").status == 0)
    #expect(try onStore("install", "bpf.p7b", "--json").status == 0)
    #expect(try onStore("activate", "bpf", "--json").status == 0)
    #expect(try onStore("install", "new.p7b").status == 0)
    #expect(try onStore("install", "bpf.p7b").status == 3)
    #expect(try onStore("remove", "bpf").status == 3)
    #expect(try onStore("remove", "bpf", "--json").json()["error"] != nil)
    let list = try onStore("list", "--json")
    #expect(try list.json()["version"] == "1.1.0")
    #expect(try list.json()["active"] == true)

    let log = String(decoding: try directory.read("audit/audit.log"), as: UTF8.self).split(separator: "\n")
    let records = log.compactMap { line -> AuditRecord? in
      if case .record(_, let record) = AuditReader.read(Array(line.utf8)) { record } else { nil }
    }
    // The store's own records beside those: that it was made, and two removals that were refused.
    #expect(records.map { $0.type } == [1422, 1421, 1422, 1422] && log.count == 7)
    guard case .load(let refused)? = records.last else { return }
    #expect(!refused.succeeded && refused.errno == -116)
  }

  /// A change to the policy that no case notices fails the run, and the case that is printed mends it.
  @Test func changesThatNoCaseNotices() throws {
    try write("t.pol", "op=BPF_PROG_LOAD bpf_signature=OK x_prog_type=xdp action=ALLOW\n")
    _ = try directory.write(
      "t.cases", "case \"a\"\n given op=BPF_PROG_LOAD bpf_signature=OK x_prog_type=xdp\n expect ALLOW\n")
    #expect(try run("test", "t.pol", "t.cases").status == 0)
    let missing = try run("test", "t.pol", "t.cases", "--mutate")
    #expect(missing.status == 1 && missing.output.contains("no case notices that t.pol:3 lacks bpf_signature=OK"))
    #expect(try run("test", "t.pol", "t.cases", "--mutate", "--min-coverage", "10").status == 0)
    let answer = try run("test", "t.pol", "t.cases", "--mutate", "--json")
    guard answer.status == 1, case .array(let unnoticed)? = try answer.json()["unnoticed"] else {
      Issue.record("\(answer.output)")
      return
    }
    let cases = unnoticed.compactMap { if case .string(let text)? = $0["case"] { text } else { nil } }
    #expect(cases.count == unnoticed.count && cases.count > 3)
    _ = try directory.write("more.cases", cases.joined())
    let whole = try run("test", "t.pol", "t.cases", "more.cases", "--mutate")
    #expect(whole.status == 0 && whole.output.contains(" noticed, 0 not, "), "\(whole.output)")
  }

  /// What it says of objects and records names the program, and the short form is a line for each.
  @Test func explainInShort() throws {
    try write("t.pol", "op=BPF_PROG_LOAD x_prog_type=xdp action=ALLOW\n")
    _ = try directory.write(
      "facts.json",
      "[{\"op\":\"BPF_PROG_LOAD\",\"x_prog_type\":[\"xdp\"]},{\"op\":\"BPF_PROG_LOAD\",\"x_prog_type\":[\"lsm\"]}]")
    #expect(
      try run("explain", "t.pol", "--facts", "facts.json", "--short").output
        == "facts 1: ALLOW at line 3: op=BPF_PROG_LOAD x_prog_type=xdp action=ALLOW\n"
        + "facts 2: DENY by DEFAULT at line 2: DEFAULT action=DENY\n")
    #expect(try run("explain", "t.pol", "--facts", "facts.json", "--short", "--json").status == 64)
    try Directory.create(directory.file("objects"))
    try Tools.buildDemo(into: directory.file("objects"))
    _ = try ForeignImage.build(directory.file("objects"), at: directory.file("demo.raw"))
    let object = try run("explain", "t.pol", "--image", "demo.raw", "--object", "xdp_counter.bpf.o", "--json")
    #expect(try objects(object).allSatisfy { $0["program"] != nil }, "\(object.output)\(object.errors)")
    let short = try run("explain", "t.pol", "--image", "demo.raw", "--object", "xdp_counter.bpf.o", "--short")
    #expect(short.status == 0 && short.output.hasPrefix("program "), "\(short.output)\(short.errors)")
  }

  /// A policy for the kernel's own operations: no addition of this program, and `check` has nothing to say.
  @Test func generateForTheKernel() throws {
    let made = try run(
      "generate", "--op", "EXECUTE,KMODULE", "--boot-verified", "--root-hash", hash, "--fsverity-digest", hash,
      "--anchor", "root-hash", "--name", "site")
    #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
    _ = try directory.write("site.pol", made.output)
    #expect(try run("check", "--dialect", "kernel", "--strict", "site.pol").status == 0)
    #expect(made.output.contains("DEFAULT action=ALLOW\n") && made.output.contains("DEFAULT op=KMODULE action=DENY\n"))
    let answer = try run("generate", "--op", "POLICY", "--anchor", "signature", "--json").json()
    #expect(answer["dialect"] == "kernel" && answer["kernel_answer"] == "ok")
    // No kernel knows the one, and of BPF programs nothing knows the other.
    #expect(try run("generate", "--op", "EXECUTE", "--anchor", "signer", "--signer", hash).status == 3)
    #expect(try run("generate", "--boot-verified").status == 3)
    #expect(try run("generate", "--op", "EXECUTE").status == 64)
    #expect(try run("generate", "--op", "EXECUTE,EXECUTE", "--boot-verified").status == 64)
  }

  @Test func replayIsOneObjectARecord() throws {
    try write("t.pol", "op=EXECUTE action=ALLOW\n")
    let record =
      "ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm=\"a\" path=\"/b\" dev=\"c\" ino=3 rule=\"DEFAULT action=DENY\""
    _ = try directory.write(
      "audit.log",
      "type=1420 audit(1.000:1): \(record)\nsomething else\ntype=IPE_ACCESS msg=audit(2.000:2): \(record)\ntype=1420 audit(3.000:3): ipe_op=EX"
    )
    let result = try run("replay", "--audit-log", "audit.log", "--json", "t.pol")
    // What could not be read was not decided again, and the exit code says so.
    #expect(result.status == 1 && result.errors.contains("audit.log:4: warning[audit.damaged]"))
    let answers = try objects(result)
    #expect(answers.map { $0["line"] } == [1, 3, 4, nil] && answers.map { $0["changed"] } == [true, true, nil, nil])
    #expect(answers[0]["time"] == "1970-01-01T00:00:01.000Z" && answers[0]["event"] == "1")
    #expect(answers[2]["error"]?["code"] == "audit.damaged")
    #expect(answers[3]["counts"]?["decisions"] == 2 && answers[3]["counts"]?["unreadable"] == 1)
    for answer in answers { #expect(try SchemaTests.schema("policy-replay").faults(in: answer) == []) }
  }

  /// A log in which nothing is found is not one that changes nothing, and what is no text is named.
  @Test func aLogWithoutDecisions() throws {
    try write("t.pol", "")
    _ = try directory.write("other.log", "type=SYSCALL msg=audit(1.000:1): arch=c000003e\n")
    _ = try directory.write("empty.log", "")
    for log in ["other.log", "empty.log"] {
      let result = try run("replay", "--audit-log", log, "--json", "t.pol")
      #expect(result.status == 1 && result.errors.contains("error[audit.no-decisions]"), "\(result.errors)")
      #expect(try objects(result).first?["counts"]?["records"] == 0)
    }
    _ = try directory.write("system.journal", "LPKSHHRH and more")
    let binary = try run("replay", "--audit-log", "system.journal", "t.pol")
    #expect(binary.status == 6 && binary.errors.contains("error[audit.format]") && binary.errors.contains("-o export"))
    _ = try directory.write("log.lz4", [4, 0x22, 0x4d, 0x18] + [UInt8](repeating: 0, count: 30))
    #expect(try run("replay", "--audit-log", "log.lz4", "t.pol").errors.contains("error[audit.compression]"))
  }

  /// Several logs, plain and compressed, and a directory of auditd's.
  @Test func severalLogs() throws {
    try write("t.pol", "")
    let record =
      "ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm=\"a\" path=\"/b\" dev=\"c\" ino=3 rule=\"DEFAULT action=DENY\""
    try Directory.create(directory.file("audit"))
    for (name, packer) in [("audit.log.1", "gzip"), ("audit.log.2", "xz"), ("audit.log.3", "zstd")] {
      _ = try directory.write("audit/\(name)", "type=1420 msg=audit(\(name.suffix(1)).000:1): \(record)\n")
      try Tools.run(packer, directory.file("audit/\(name)"))
      if packer == "zstd" { try Tools.run("rm", directory.file("audit/\(name)")) }
    }
    _ = try directory.write("audit/audit.log", "type=1420 msg=audit(9.000:1): \(record)\n")
    _ = try directory.write("more.log", "audit[1]: AUDIT1420 \(record)\n")
    let result = try run("replay", "--all", "--json", "t.pol", "--audit-log", "audit", "--audit-log", "more.log")
    let answers = try objects(result)
    #expect(result.status == 0 && answers.count == 6, "\(result.errors)")
    #expect(answers.prefix(4).map { $0["record"] } == ["3.000:1", "2.000:1", "1.000:1", "9.000:1"])
    #expect(answers[4]["log"] == "more.log" && answers[4]["line"] == 1)
  }

  @Test func suggestedRulesAllowWhatTheyAreFor() throws {
    let facts =
      "[{\"op\":\"BPF_PROG_LOAD\",\"dmverity_roothash\":\"sha256:\(hash)\",\"x_witness\":\"USERSPACE\",\"x_prog_type\":[\"xdp\"]}]"
    let own =
      "{\"schema\":\"verity-bpf/audit/1\",\"time\":\"t\",\"event\":\"e\",\"stage\":\"decision\",\"op\":\"BPF_PROG_LOAD\",\"decision\":\"deny\",\"rule\":\"DEFAULT action=DENY\",\"facts\":\(facts)}\n"
    _ = try directory.write("audit.jsonl", own + own)
    let result = try run("suggest", "--audit-log", "audit.jsonl")
    #expect(result.status == 0 && result.output.contains("# 2 denials, t (event e) to t (event e)"), "\(result.errors)")
    _ = try directory.write("suggested.pol", result.output)
    #expect(try run("check", "suggested.pol").status == 0)
    let replayed = try objects(try run("replay", "--json", "suggested.pol", "--audit-log", "audit.jsonl"))
    #expect(replayed.map { $0["decision"] } == ["allow", "allow", nil])
    // What has no identity is listed, and the exit code says that not all is allowed.
    _ = try directory.write(
      "audit.jsonl",
      own + own.replacing("dmverity_roothash", with: "x_object").replacing("\"x_witness\":\"USERSPACE\",", with: ""))
    try write("base.pol", "op=BPF_PROG_LOAD action=DENY\n")
    let partly = try run("suggest", "--audit-log", "audit.jsonl", "--from", "base.pol", "--json")
    #expect(partly.status == 1 && partly.errors.contains("not suggested: nothing vouches"), "\(partly.errors)")
    let answer = try partly.json()
    #expect(try SchemaTests.schema("policy-suggest").faults(in: answer) == [])
    #expect(answer["counts"]?["denied"] == 2)
  }

  @Test func convertSaysWhatIsLost() throws {
    try write("t.pol", "op=EXECUTE boot_verified=TRUE action=ALLOW\nop=BPF_PROG_LOAD action=ALLOW\n")
    let result = try run("convert", "--dialect", "kernel", "t.pol")
    #expect(result.status == 0 && !result.output.contains("BPF_PROG_LOAD"))
    #expect(result.errors.contains("t.pol:4: note[policy.lost]"))
    let answer = try run("convert", "t.pol", "--json").json()
    #expect(answer["policy"] == .string(result.output) && answer["lost"] != nil)
    _ = try directory.write("kernel.pol", result.output)
    #expect(try run("check", "--dialect", "kernel", "kernel.pol").status == 0)
  }

  @Test func everyCodeIsExplained() throws {
    let list = try VerityBPFCommand.run(["explain-error"])
    let codes = list.output.split(separator: "\n").map { String($0) }
    #expect(list.status == 0 && codes.count > 60)
    let one = try VerityBPFCommand.run(["explain-error", "policy.digest-length"])
    #expect(one.status == 0 && one.output.hasPrefix("policy.digest-length\n"))
    #expect(try VerityBPFCommand.run(["explain-error", "no.such-code"]).status == 64)
  }
}
