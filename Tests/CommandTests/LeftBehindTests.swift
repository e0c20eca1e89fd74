import Base
import Linux
import TestSupport
import Testing

/// What a load leaves that was killed, or told to end when it was done, and who says so; and what a process sees of loads that
/// the kernel lists no programs for.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class LeftBehindTests {
  private let directory: TemporaryDirectory
  private let pins: String
  private var audit: String { directory.file("audit") }

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func arguments(_ pin: String?, _ objects: [String] = ["socket_filter"]) -> [String] {
    ["load", "--policy", directory.file("any.pol"), "--audit-dir", audit]
      + objects.flatMap { ["--object", directory.file("progs/\($0).bpf.o")] } + (pin.map { ["--pin-path", $0] } ?? [])
  }

  private func records() throws -> [JSONValue] {
    try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  private func identifier(pinned path: String) throws -> JSONValue? {
    try JSONValue.parse(Array(Tools.run("bpftool", "--json", "prog", "show", "pinned", path).utf8))["id"]
  }

  private func row(_ id: JSONValue?, _ wrapper: [String] = []) throws -> JSONValue? {
    let listed = try VerityBPFCommand.run(["ps", "--audit-dir", audit, "--json"], wrapper: wrapper)
    guard case .array(let programs)? = try listed.json()["programs"] else { return nil }
    return programs.first { $0["id"] == id }
  }

  /// Ends a load by SIGKILL when it is about to write that it has loaded.
  private func killBeforeTheOutcome(_ pin: String) throws {
    let trace = directory.file("trace")
    let traced = ["strace", "-f", "-qq", "-s", "300", "-e", "trace=write", "-o", trace]
    // Counted without pins, which write nothing.
    try #require(try VerityBPFCommand.run(arguments(nil), wrapper: traced).status == 0)
    let lines = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
    let loader = try #require(lines.first?.split(separator: " ").first)
    let writes = lines.filter { $0.hasPrefix("\(loader) ") }
    let outcome = try #require(writes.firstIndex { $0.contains(#"\"stage\":\"outcome\""#) }, "\(writes)")
    let killed = try VerityBPFCommand.run(
      arguments(pin), wrapper: traced + ["-e", "inject=write:signal=SIGKILL:when=\(outcome + 1)"])
    #expect(killed.status == 128 + 9, "\(killed.errors)")
    #expect(try records().last?["stage"] == "decision")
  }

  @Test func whatACrashLeftPinnedIsSaid() throws {
    let left = "\(pins)/left"
    try killBeforeTheOutcome(left)
    let pin = "\(left)/prog/socket_filter"
    let id = try identifier(pinned: pin)
    let step = "verity-bpf unload --pin-path \(left)"
    // Nobody has closed the attempt yet: the marker says that it is open.
    #expect(try row(id)?["standing"] == "unknown" && row(id)?["crashed_load"]?["pins"] == [.string(pin)])
    let text = try VerityBPFCommand.run(["ps", "--audit-dir", audit])
    #expect(text.output.contains("UNKNOWN: left by a load that crashed (") && text.output.contains(": \(step)\n"))
    #expect(text.status == 0 && text.errors.contains("warning[audit.crashed-load]"), "\(text.errors)")
    try Directory.create("\(pins)/empty")
    let other = try VerityBPFCommand.run(["unload", "--pin-path", "\(pins)/empty", "--audit-dir", audit])
    #expect(other.status == 0 && other.errors.contains("  next      \(step)"), "\(other.errors)")
    #expect(try !Directory.names(pins).contains("empty"))

    // Who closes it says so, once, and the record has the pins.
    let next = try VerityBPFCommand.run(arguments("\(pins)/next"))
    #expect(next.status == 0 && next.errors.contains("warning[audit.crashed-load]"), "\(next.errors)")
    #expect(next.errors.contains("socket_filter.bpf.o` that has crashed") && next.errors.contains(pin))
    #expect(next.errors.contains("  next      \(step)"), "\(next.errors)")
    let crashed = try #require(try records().first { $0["outcome"]?["result"] == "crashed" })
    #expect(try SchemaTests.schema("audit").faults(in: crashed) == [])
    #expect(crashed["pin_path"] == .string(left))
    guard case .array(let named)? = crashed["outcome"]?["pins"] else {
      Issue.record("\(crashed.compact)")
      return
    }
    let found = try Tools.run("find", left, "-type", "f").split(separator: "\n").map { String($0) }.sorted()
    #expect(named == found.map { .string($0) } && found.contains(pin) && found.count > 1)
    let again = try VerityBPFCommand.run(arguments(nil))
    #expect(!again.errors.contains("audit.crashed-load"), "\(again.errors)")
    // The record still says what holds the program, and says nothing of the one that was loaded since.
    #expect(try row(id)?["crashed_load"]?["pins"] == [.string(pin)])
    let loaded = try row(identifier(pinned: "\(pins)/next/prog/socket_filter"))
    #expect(loaded?["standing"] == "vouched" && loaded?["crashed_load"] == nil)

    // And what it names does that.
    for name in ["left", "next"] {
      #expect(try VerityBPFCommand.run(["unload", "--pin-path", "\(pins)/\(name)", "--audit-dir", audit]).status == 0)
    }
    // The kernel puts some of its own there (bpf_preload).
    #expect(try Directory.names(pins).allSatisfy { $0.hasSuffix(".debug") })
    let last = try VerityBPFCommand.run(["ps", "--audit-dir", audit])
    #expect(!last.output.contains("crashed") && last.errors.isEmpty, "\(last.errors)")
  }

  /// The pins of others in the same directory are not taken for those of the load that crashed, nor named for removal.
  @Test func othersPinsAreTheirs() throws {
    let shared = "\(pins)/shared"
    try #require(try VerityBPFCommand.run(arguments(shared)).status == 0)
    try Tools.run("sleep", "0.1")
    for pin in try Tools.run("find", shared, "-type", "f").split(separator: "\n") {
      try Tools.run("mv", String(pin), "\(pin)_earlier")
    }
    try killBeforeTheOutcome(shared)
    let next = try VerityBPFCommand.run(arguments(nil))
    #expect(next.errors.contains("; rm \(shared)/prog/socket_filter\n"), "\(next.errors)")
    #expect(!next.errors.contains("earlier") && !next.errors.contains("verity-bpf unload"), "\(next.errors)")
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", shared, "--audit-dir", audit]).status == 0)
  }

  /// The answer cannot go out because nobody reads it; then a signal ends the load.
  @Test(arguments: [["socket_filter"], ["socket_filter", "task_list"]])
  func aSignalBeforeTheAnswerIsOut(objects: [String]) throws {
    let script = """
      mkfifo out; sleep 30 < out & reader=$!
      exec 5> out; dd if=/dev/zero bs=65536 count=1 >&5 2> /dev/null
      env --default-signal "$@" >&5 2> errors & load=$!
      for i in $(seq 500); do
        [ "$(grep -c '"result":"loaded"' audit/audit.jsonl 2> /dev/null)" = $COUNT ] && break; sleep 0.01
      done
      sleep 0.1; kill -TERM $load; wait $load; status=$?; kill $reader; exit $status
      """
    let result = try Subprocess.run(
      ["env", "-C", directory.path, "COUNT=\(objects.count)", "sh", "-c", script, "sh", VerityBPFCommand.path]
        + arguments("\(pins)/kept", objects))
    #expect(result.status == 128 + 15, "\(result.text)")
    let errors = String(decoding: try directory.read("errors"), as: UTF8.self)
    for name in objects {
      #expect(errors.contains("error[output.untold]: program") && errors.contains("`\(name)` (id "), "\(errors)")
    }
    #expect(errors.contains("SIGTERM ended the run before it could say so"), "\(errors)")
    #expect(errors.contains("verity-bpf unload --pin-path \(pins)/kept"), "\(errors)")
    let pinned = try Tools.run("find", pins, "-path", "*/prog/*", "-type", "f").split(separator: "\n")
    #expect(pinned.count == objects.count)
    #expect(try records().filter { $0["outcome"]?["result"] == "loaded" }.count == objects.count)
  }

  /// Without privilege: programs whose pins may be read, loads that the log names, and that this is not all.
  @Test func whatIsSeenWithoutPrivilege() throws {
    for name in ["open", "closed"] {
      try #require(try VerityBPFCommand.run(arguments("\(pins)/\(name)")).status == 0)
    }
    let id = try identifier(pinned: "\(pins)/open/prog/socket_filter")
    let hiddenID = try identifier(pinned: "\(pins)/closed/prog/socket_filter")
    try Tools.run("chmod", "755", directory.path, "\(pins)/open", "\(pins)/open/prog")
    try Tools.run("chmod", "644", "\(pins)/open/prog/socket_filter")
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]

    // The log is its owner's: nobody can tell who vouches.
    let blind = try VerityBPFCommand.run(["ps", "--audit-dir", audit], wrapper: nobody)
    #expect(blind.status == 1 && blind.output.contains("NOT COMPARED: the log cannot be read"), "\(blind.output)")
    #expect(!blind.output.contains("UNKNOWN") && !blind.output.contains("vouched"), "\(blind.output)")
    #expect(blind.errors.contains("error[ps.permission]") && blind.errors.contains("this is not all of them"))
    #expect(blind.errors.contains("not readable: \(pins)/closed\n"), "\(blind.errors)")
    #expect(try row(id, nobody)?["standing"] == "not_compared")
    #expect(try row(id, nobody)?["pins"] == [.string("\(pins)/open/prog/socket_filter")])
    #expect(try row(hiddenID, nobody) == nil)

    // Where the log may be read, it is compared, and says what else was loaded.
    try Tools.run("chmod", "755", audit)
    try Tools.run("chmod", "644", "\(audit)/audit.jsonl")
    let seeing = try VerityBPFCommand.run(["ps", "--audit-dir", audit, "--json"], wrapper: nobody)
    let answer = try seeing.json()
    #expect(seeing.status == 1 && answer["error"]?["code"] == "ps.permission")
    #expect(try row(id, nobody)?["standing"] == "vouched")
    guard case .array(let recorded)? = answer["recorded"] else {
      Issue.record("\(answer)")
      return
    }
    #expect(recorded.map { $0["id"] } == [hiddenID] && recorded[0]["name"] == "socket_filter")
    let text = try VerityBPFCommand.run(["ps", "--audit-dir", audit], wrapper: nobody)
    #expect(text.output.contains("NOT SEEN: loaded then, by the log"), "\(text.output)")
    for name in ["open", "closed"] {
      #expect(try VerityBPFCommand.run(["unload", "--pin-path", "\(pins)/\(name)", "--audit-dir", audit]).status == 0)
    }
  }
}
