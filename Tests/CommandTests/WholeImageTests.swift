import Base
import Linux
import TestSupport
import Testing

/// `load --all`: an image as a whole or not at all, and `unload` as its inverse.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class WholeImageTests {
  private let directory: TemporaryDirectory
  private let pins: String
  private var image: String { directory.file("progs.raw") }
  private var pin: String { "\(pins)/site/all" }

  init() throws {
    directory = try TemporaryDirectory()
    pins = directory.file("bpf")
    try Tools.buildDemo(into: directory.file("demo"))
    try Directory.create(directory.file("progs"))
    for name in ["exec_logger", "socket_filter", "xdp_counter"] { try copy(name) }
    try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func copy(_ name: String) throws {
    try directory.write("progs/\(name).bpf.o", directory.read("demo/\(name).bpf.o"))
  }

  private func build(_ list: String?) throws -> VerityBPFCommand.Result {
    var arguments = ["build-image", directory.file("progs"), "-o", image]
    if let list {
      arguments += [
        "--load-list", try directory.write("list.json", #"{"schema": "verity-bpf/load-list/1", "load": \#(list)}"#),
      ]
    }
    return try VerityBPFCommand.run(arguments)
  }

  private func load(_ options: String..., policy: String = "any.pol") throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      [
        "load", "--image", image, "--all", "--policy", directory.file(policy), "--audit-dir", directory.file("audit"),
        "--pin-path", pin, "--json",
      ] + options)
  }

  private func answers(_ result: VerityBPFCommand.Result) throws -> [JSONValue] {
    try result.output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
  }

  private func records() throws -> [JSONValue] {
    try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  private func own() throws -> [String] {
    try Directory.names(pins).filter { $0 != "maps.debug" && $0 != "progs.debug" }
  }

  @Test func withoutAListAllInTheOrderOfNames() throws {
    try #require(try build(nil).status == 0)
    let result = try load()
    #expect(result.status == 0, "\(result.errors)")
    let names = try answers(result).map { $0["request"]?["object"] }
    #expect(names == ["exec_logger.bpf.o", "socket_filter.bpf.o", "xdp_counter.bpf.o"])
    #expect(try Directory.names(pin).sorted() == ["exec_logger", "socket_filter", "xdp_counter"])
    #expect(try answers(result).allSatisfy { $0["attachments"] == [] })
    // The image was asked for before it was opened, and each of its objects by itself.
    let records = try records()
    let attempts = records.filter { $0["stage"] == "attempt" }
    #expect(attempts.count == 4 && attempts[0]["path_in_image"] == "" && attempts[1]["whole_image"] == true)
    #expect(records.contains { $0["outcome"]?["result"] == "listed" && $0["outcome"]?["objects"] == 3 })
    #expect(records.filter { $0["outcome"]?["result"] == "loaded" }.count == 3)
    #expect(try Directory.names(directory.file("audit")).allSatisfy { !$0.hasPrefix("running") })
    let unloaded = try VerityBPFCommand.run(["unload", "--pin-path", pin])
    #expect(unloaded.status == 0, "\(unloaded.errors)")
    #expect(try own() == [])
  }

  @Test func doesWhatTheListSays() throws {
    let list = """
      [{"object": "xdp_counter.bpf.o", "attach": ["xdp_counter"], "pin": "counter"},
       {"object": "exec_logger.bpf.o", "attach": ["*"]}]
      """
    try #require(try build(list).status == 0)
    let interface = "vba\(UInt32.random(in: 0x10_0000...0xff_ffff))"
    try Tools.run("ip", "link", "add", interface, "type", "veth", "peer", "name", "\(interface)p")
    defer { _ = try? Tools.run("ip", "link", "del", interface) }
    let dry = try load("--dry-run", "--interface", interface)
    #expect(try dry.status == 0 && own() == [], "\(dry.errors)")
    let result = try load("--interface", interface)
    #expect(result.status == 0, "\(result.errors)")
    let answers = try answers(result)
    #expect(answers.map { $0["request"]?["object"] } == ["xdp_counter.bpf.o", "exec_logger.bpf.o"])
    #expect(answers[0]["attachments"]?.compact.contains("\(pin)/counter/link/xdp_counter") == true)
    #expect(try Directory.names("\(pin)/exec_logger/link").count == 1)
    #expect(try Directory.names(pin).sorted() == ["counter", "exec_logger"])
    // The next version of the image, in the place of this one.
    let replaced = try load("--interface", interface, "--replace")
    #expect(replaced.status == 0, "\(replaced.errors)")
    #expect(try self.answers(replaced)[0]["replaced"]?["moved_links"] == ["xdp_counter"])
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
    #expect(try own() == [])
    // Verified and shown with its list.
    #expect(try VerityBPFCommand.run(["verify", image]).status == 0)
    #expect(
      try VerityBPFCommand.run(["inspect", image, "--json"]).json()["manifest"]?["load_list"]?.compact.contains(
        "counter") == true)
  }

  /// What the next image does not have any more ends when all of it is in place, and not before.
  @Test func whatTheNextImageDoesNotHaveEnds() throws {
    try #require(try build(nil).status == 0)
    try #require(try load().status == 0)
    try Tools.run("rm", directory.file("progs/socket_filter.bpf.o"))
    try #require(try build(nil).status == 0)
    let gone = "\(pin)/socket_filter"
    let dry = try load("--replace", "--dry-run")
    #expect(try answers(dry).last?["ended_objects"]?["pin_paths"] == [.string(gone)], "\(dry.errors)")
    #expect(try Directory.names(pin).count == 3)
    let text = try VerityBPFCommand.run([
      "load", "--image", image, "--all", "--policy", directory.file("any.pol"), "--audit-dir", directory.file("audit"),
      "--pin-path", pin, "--replace", "--dry-run",
    ])
    #expect(text.output.contains("would end \(gone), which the image does not have"), "\(text.output)")
    // Where the image is refused, all of the old one stays.
    try directory.write("none.pol", "policy_name=none policy_version=1.0.0\nDEFAULT action=DENY\n")
    #expect(try load("--replace", policy: "none.pol").status == 2)
    #expect(try Directory.names(pin).count == 3)
    // What is no object of ours is a reason to ask.
    try Directory.create("\(pin)/foreign")
    try Directory.create("\(pin)/foreign/more")
    let refused = try load("--replace")
    #expect(refused.status == 1 && refused.errors.contains("load.replace-not-ours"), "\(refused.errors)")
    #expect(try records().last?["outcome"]?["code"] == "load.replace-not-ours")
    try Tools.run("rmdir", "\(pin)/foreign/more", "\(pin)/foreign")

    let replaced = try load("--replace")
    #expect(replaced.status == 0, "\(replaced.errors)")
    let answers = try answers(replaced)
    #expect(answers[0]["ended_objects"] == nil)
    #expect(
      answers[1]["ended_objects"]?["pin_paths"] == [.string(gone)] && answers[1]["ended_objects"]?["remaining"] == [])
    #expect(try Directory.names(pin).sorted() == ["exec_logger", "xdp_counter"])
    #expect(try records().last?["outcome"]?["ended_objects"]?["pin_paths"] == [.string(gone)])
    let again = try load("--replace")
    #expect(try again.status == 0 && self.answers(again).allSatisfy { $0["ended_objects"] == nil }, "\(again.errors)")
    // Where one object is pinned, no image is.
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
    let one = try VerityBPFCommand.run([
      "load", "--image", image, "--object", "xdp_counter.bpf.o", "--policy", directory.file("any.pol"), "--audit-dir",
      directory.file("audit"), "--pin-path", pin,
    ])
    #expect(one.status == 0)
    #expect(try load("--replace").errors.contains("the pins of one object"))
  }

  /// An interface has place for one XDP program: the link of an object that ends holds that of another, and no packet meets none.
  @Test func anotherObjectTakesOverAPlace() throws {
    let interface = "vbo\(UInt32.random(in: 0x10_0000...0xff_ffff))"
    try Tools.run("ip", "link", "add", interface, "type", "veth", "peer", "name", "\(interface)p")
    defer { _ = try? Tools.run("ip", "link", "del", interface) }
    func link(_ path: String) throws -> [JSONValue?] {
      let shown = try JSONValue.parse(Array(Tools.run("bpftool", "--json", "link", "show", "pinned", path).utf8))
      return [shown["id"], shown["prog_id"]]
    }
    try #require(try build(#"[{"object": "xdp_counter.bpf.o", "attach": ["*"]}]"#).status == 0)
    let first = try load("--interface", interface)
    try #require(first.status == 0, "\(first.errors)")
    let before = try link("\(pin)/xdp_counter/link/xdp_counter")
    try Tools.run("mv", directory.file("progs/xdp_counter.bpf.o"), directory.file("progs/packets.bpf.o"))

    // The object behind it is refused: the link holds the old program again.
    let source = "\(Tools.repository)/Tests/Fixtures/bpf-load/refused_access.bpf.c"
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c", source, "-o",
      directory.file("progs/zz.bpf.o"))
    try #require(try build(#"[{"object": "packets.bpf.o", "attach": ["*"]}, {"object": "zz.bpf.o"}]"#).status == 0)
    #expect(try load("--interface", interface, "--replace").status == 5)
    #expect(try Directory.names(pin) == ["xdp_counter"] && link("\(pin)/xdp_counter/link/xdp_counter") == before)

    try #require(try build(#"[{"object": "packets.bpf.o", "attach": ["*"]}]"#).status == 0)
    let refused = try load("--interface", interface)
    #expect(refused.status == 5 && refused.errors.contains("another program is attached there"), "\(refused.errors)")
    let second = try load("--interface", interface, "--replace")
    #expect(second.status == 0, "\(second.errors)")
    let answer = try answers(second)[0]
    #expect(answer["replaced"]?["moved_links"] == ["xdp_counter"], "\(answer)")
    #expect(answer["ended_objects"]?["pin_paths"] == [.string("\(pin)/xdp_counter")])
    #expect(try Directory.names(pin) == ["packets"])
    let after = try link("\(pin)/packets/link/xdp_counter")
    #expect(after[0] == before[0] && after[1] != before[1])
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
    #expect(try own() == [])
  }

  /// By the policy, and by the kernel: nothing stays, and the answer and the records say why.
  @Test func allOrNothing() throws {
    try #require(try build(nil).status == 0)
    let rule = "policy_name=some policy_version=1.0.0\nDEFAULT action=DENY\n"
    try directory.write(
      "some.pol", rule + "op=BPF_PROG_LOAD x_prog_type=tracepoint,raw_tracepoint,tracing,xdp action=ALLOW\n")
    let denied = try load(policy: "some.pol")
    #expect(denied.status == 2, "\(denied.errors)")
    #expect(try own() == [])
    let answers = try answers(denied)
    #expect(answers.count == 2 && answers[0]["error"]?["code"] == "load.undone" && answers[1]["decision"] == "deny")
    #expect(denied.errors.contains("`socket_filter.bpf.o` was refused"), "\(denied.errors)")
    let outcomes = try records().compactMap { $0["outcome"] }
    #expect(outcomes.contains { $0["code"] == "load.undone" } && outcomes.contains { $0["result"] == "not-begun" })
    #expect(!outcomes.contains { $0["result"] == "loaded" })

    let source = "\(Tools.repository)/Tests/Fixtures/bpf-load/refused_access.bpf.c"
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c", source, "-o",
      directory.file("progs/zz.bpf.o"))
    try #require(try build(nil).status == 0)
    let refused = try load()
    #expect(refused.status == 5, "\(refused.errors)")
    #expect(try own() == [])
    #expect(try self.answers(refused).map { $0["error"]?["code"] }.suffix(2) == ["load.undone", "load.verifier"])
    // A pin of others in the way of the last one.
    try Tools.run("rm", directory.file("progs/zz.bpf.o"))
    try #require(try build(nil).status == 0)
    try Tools.run("mkdir", "-p", "\(pin)/xdp_counter/prog/xdp_counter")
    #expect(try load().status == 1)
    #expect(try Directory.names(pin) == ["xdp_counter"])
  }

  @Test func refusesWhatHasNoMeaning() throws {
    for (list, word) in [
      ("[]", "load"), (#"[{"object": "missing.bpf.o"}]"#, "load[0].object"),
      (#"[{"object": "xdp_counter.bpf.o", "pin": "a/b"}]"#, "load[0].pin"), ("7", "load"),
    ] {
      let built = try build(list)
      #expect(built.status == 3 && built.errors.contains("error[build.load-list]"), "\(built.errors)")
      #expect(built.errors.contains("`\(word)`"), "\(built.errors)")
      #expect(try !Directory.names(directory.path).contains("progs.raw"))
    }
    try directory.write("list.json", "{")
    let broken = try VerityBPFCommand.run([
      "build-image", directory.file("progs"), "-o", image, "--load-list", directory.file("list.json"),
    ])
    #expect(broken.status == 3 && broken.errors.contains("line 1"), "\(broken.errors)")
    try #require(try build(#"[{"object": "xdp_counter.bpf.o"}]"#).status == 0)
    for options in [["--attach"], ["--interface", "lo"], ["--cgroup", "/sys/fs/cgroup"]] {
      let result = try VerityBPFCommand.run(
        [
          "load", "--image", image, "--all", "--policy", directory.file("any.pol"), "--audit-dir",
          directory.file("audit"),
        ]
          + options)
      #expect(result.status == 64 && result.errors.contains("load.all-options"), "\(result.errors)")
    }
    try Tools.run("mkdir", directory.file("files"))
    try directory.write("files/readme", "text")
    try #require(
      try VerityBPFCommand.run(["build-image", directory.file("files"), "-o", image, "--include", "readme"]).status == 0
    )
    let none = try load()
    #expect(none.status == 1 && none.errors.contains("load.no-objects"), "\(none.errors)")
    #expect(try records().last?["outcome"]?["code"] == "load.no-objects")
  }
}
