import Base
import Linux
import TestSupport
import Testing

/// Life after loading: `ps` tells who vouches for a program, `unload` ends it, and nothing is left of many rounds.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class LifeTests {
  let directory: TemporaryDirectory
  let image: String
  let policy: String
  let pins: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    image = directory.file("progs.raw")
    let built = try VerityBPFCommand.run([
      "build-image", directory.file("progs"), "-o", image, "--name", "demo", "--version", "1.0.0", "--json",
    ])
    try #require(built.status == 0, "\(built.errors)")
    let rootHash = String(decoding: try directory.read("progs.roothash"), as: UTF8.self)
    policy = try directory.write(
      "test.pol",
      "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\n"
        + "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW\n")
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func arguments(_ pin: String) -> [String] {
    [
      "load", "--image", image, "--object", "xdp_counter.bpf.o", "--policy", policy, "--audit-dir",
      directory.file("audit"), "--pin-path", pin, "--json",
    ]
  }

  private func unload(_ path: String) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["unload", "--pin-path", path, "--audit-dir", directory.file("audit"), "--json"])
  }

  /// The number behind `name` in what bpftool says of a pinned program.
  private func identifier(pinned path: String) throws -> JSONValue? {
    try JSONValue.parse(Array(Tools.run("bpftool", "--json", "prog", "show", "pinned", path).utf8))["id"]
  }

  private func standing(of id: JSONValue?, audit: String) throws -> JSONValue? {
    let listed = try VerityBPFCommand.run(["ps", "--audit-dir", audit, "--json"])
    try #require(listed.status == 0, "\(listed.errors)")
    guard case .array(let programs)? = try listed.json()["programs"] else { return nil }
    return programs.first { $0["id"] == id }
  }

  @Test func psVouchesForWhatWasLoadedAndUnloadEndsIt() throws {
    let pin = "\(pins)/demo"
    let loaded = try VerityBPFCommand.run(arguments(pin))
    try #require(loaded.status == 0, "\(loaded.errors)")
    let id = try identifier(pinned: "\(pin)/prog/xdp_counter")

    let vouched = try standing(of: id, audit: directory.file("audit"))
    #expect(vouched?["standing"] == "vouched")
    #expect(vouched?["record"]?["path_in_image"] == "xdp_counter.bpf.o")
    #expect(vouched?["type"] == "xdp")
    // Without these records nobody vouches.
    try Directory.create(directory.file("none"))
    try directory.write("none/audit.jsonl", "")
    #expect(try standing(of: id, audit: directory.file("none"))?["standing"] == "unknown")

    // A record of the same id with another tag: the program is not the one that was admitted.
    guard case .string(let tag)? = vouched?["tag"] else {
      Issue.record("no tag")
      return
    }
    let text = String(decoding: try directory.read("audit/audit.jsonl"), as: UTF8.self)
    let forged = text.split(separator: tag, omittingEmptySubsequences: false).joined(separator: "0123456789abcdef")
    try Directory.create(directory.file("forged"))
    try directory.write("forged/audit.jsonl", forged)
    #expect(try standing(of: id, audit: directory.file("forged"))?["standing"] == "other_tag")

    // Nor does one of another load of the same instructions under this id, or of another start of the machine.
    guard case .integer(let time)? = vouched?["record"]?["load_time"] else {
      Issue.record("no time of loading")
      return
    }
    let boot = try Tools.run("cat", "/proc/sys/kernel/random/boot_id").trimmed
    for (name, old, new, standing) in [
      ("earlier", "\"load_time\":\(time)", "\"load_time\":\(time - 1)", "other_load"),
      ("rebooted", boot, "00000000-0000-0000-0000-000000000000", "unknown"),
      ("silent", "\"boot_id\"", "\"some_id\"", "unknown"),
    ] {
      #expect(text.contains(old))
      try Directory.create(directory.file(name))
      try directory.write(
        "\(name)/audit.jsonl", text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new))
      #expect(try self.standing(of: id, audit: directory.file(name))?["standing"] == .string(standing), "\(name)")
    }

    let unloaded = try unload(pin)
    #expect(unloaded.status == 0, "\(unloaded.errors)")
    #expect(try Directory.names(pins).contains("demo") == false)
    #expect(try standing(of: id, audit: directory.file("audit")) == nil)
  }

  @Test func psReadsRotatedLogs() throws {
    let pin = "\(pins)/demo"
    try #require(try VerityBPFCommand.run(arguments(pin)).status == 0)
    let id = try identifier(pinned: "\(pin)/prog/xdp_counter")
    let log = directory.file("audit/audit.jsonl")
    try Tools.run("mv", log, "\(log).1")
    #expect(try standing(of: id, audit: directory.file("audit"))?["standing"] == "vouched")
    // As logrotate goes on: compressed the next time, with an empty file in the first one's place.
    try Tools.run("gzip", "\(log).1")
    try Tools.run("mv", "\(log).1.gz", "\(log).2.gz")
    try directory.write("audit/audit.jsonl.1", "")
    try directory.write("audit/audit.jsonl", "")
    #expect(try standing(of: id, audit: directory.file("audit"))?["standing"] == "vouched")
    #expect(try unload(pin).status == 0)
  }

  /// With the file that `make install` puts in place, under another directory.
  @Test func psReadsWhatLogrotateMakes() throws {
    let text = String(decoding: try directory.read("\(Tools.repository)/tools/logrotate"), as: UTF8.self)
    let ours = text.split(separator: "/var/log/verity-bpf", omittingEmptySubsequences: false)
      .joined(separator: directory.file("audit"))
    let settings = try directory.write("rotation", ours)
    try OwnedFD.open(settings, .readOnly).setPermissions(0o600)
    var ids: [JSONValue?] = []
    for round in 0..<3 {
      try #require(try VerityBPFCommand.run(arguments("\(pins)/\(round)")).status == 0)
      ids.append(try identifier(pinned: "\(pins)/\(round)/prog/xdp_counter"))
      try Tools.run("logrotate", "--force", "--state", directory.file("state"), settings)
      for id in ids {
        #expect(try standing(of: id, audit: directory.file("audit"))?["standing"] == "vouched", "\(round)")
      }
    }
    let names = try Directory.names(directory.file("audit")).filter { $0.hasPrefix("audit.jsonl") }
    #expect(names == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2.gz", "audit.jsonl.3.gz"])
    #expect(try FileStatus.of(path: directory.file("audit/audit.jsonl")).mode == 0o600)
    for round in 0..<3 { #expect(try unload("\(pins)/\(round)").status == 0) }
  }

  @Test func psSaysWhatItCannotSee() throws {
    let missing = try VerityBPFCommand.run(["ps", "--audit-dir", directory.file("nowhere"), "--json"])
    #expect(missing.status == 1)
    #expect(try missing.json()["error"]?["code"] == "audit.missing")
    // Without privilege the kernel shows nothing, and the log is its owner's.
    let unprivileged = try VerityBPFCommand.run(
      ["ps", "--audit-dir", directory.file("nowhere"), "--json"],
      wrapper: ["setpriv", "--reuid", "65534", "--clear-groups", "--"])
    let error = try unprivileged.json()["error"]
    #expect(unprivileged.status == 1 && error?["code"] == "ps.permission", "\(unprivileged.output)")
    guard case .string(let found)? = error?["found"] else {
      Issue.record("nothing found")
      return
    }
    #expect(found.contains("EPERM") && found.contains("nowhere"), "\(found)")
  }

  @Test func psFlagsWhatOthersLoaded() throws {
    try Tools.run("bpftool", "prog", "load", directory.file("progs/xdp_counter.bpf.o"), "\(pins)/theirs")
    let id = try identifier(pinned: "\(pins)/theirs")
    try Directory.create(directory.file("audit"))
    try directory.write("audit/audit.jsonl", "")
    #expect(try standing(of: id, audit: directory.file("audit"))?["standing"] == "unknown")
  }

  @Test func unloadRefusesWhatIsNotOurs() throws {
    try Directory.create(directory.file("plain"))
    #expect(try unload(directory.file("plain")).status == 1)
    #expect(try Directory.names(directory.path).contains("plain"))

    // One foreign name, at the top or below, and nothing at all is removed.
    for foreign in ["other", "prog/sub"] {
      let pin = "\(pins)/mixed"
      try #require(try VerityBPFCommand.run(arguments(pin)).status == 0)
      try Directory.create("\(pin)/\(foreign)")
      let refused = try unload(pin)
      #expect(refused.status == 1 && refused.errors.contains("unload.not-ours"), "\(refused.errors)")
      _ = try identifier(pinned: "\(pin)/prog/xdp_counter")
      try Tools.run("rmdir", "\(pin)/\(foreign)")
      #expect(try unload(pin).status == 0)
    }
  }

  @Test func oneOfTwoLoadersWins() throws {
    let pin = "\(pins)/race"
    for _ in 0..<5 {
      let script = try directory.write(
        "race.sh",
        """
        "$@" > "$OUT/1" 2>&1 & one=$!
        "$@" > "$OUT/2" 2>&1 & two=$!
        wait $one; echo $?
        wait $two; echo $?
        """)
      let printed = try Tools.run(
        ["env", "OUT=\(directory.path)", "sh", script, VerityBPFCommand.path] + arguments(pin))
      let statuses = printed.split(separator: "\n")
      #expect(statuses.count == 2 && statuses.filter { $0 == "0" }.count == 1, "\(printed)")
      let loser = try directory.read(statuses.first == "0" ? "2" : "1")
      #expect(String(decoding: loser, as: UTF8.self).contains("error[load.pin"))
      // What is there is the winner's, whole, and goes as one.
      #expect(try Directory.names("\(pin)/prog") == ["xdp_counter"])
      #expect(try unload(pin).status == 0)
    }
  }

  /// Killed at any moment, a load leaves at most pins, which `unload` takes away; without a pin nothing is left at all.
  @Test func aKilledLoadLeavesNothingThatUnloadDoesNotTake() throws {
    // A name that no other test's programs have.
    let name = "killed_\(UInt32.random(in: 0x1000_0000...UInt32.max))".prefix(15)
    try Directory.create(directory.file("source"))
    try directory.write(
      "source/killed.bpf.c",
      """
      #include "vbpf.h"
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }
        counters SEC(".maps");
      SEC("raw_tp/sched_process_exec") int \(name)(void *context) { (void)context; (void)&counters; return 0; }
      char LICENSE[] SEC("license") = "GPL";
      """)
    try Tools.run(
      "make", "-s", "-C", directory.file("source"), "-f", "\(Tools.repository)/images/demo/Makefile",
      "OUT=\(directory.file("killed"))")
    let built = try ForeignImage.build(directory.file("killed"), at: directory.file("killed.raw"))
    let policy = try directory.write("killed.pol", built.policy)
    let pin = "\(pins)/killed"
    let arguments = [
      "load", "--image", built.path, "--object", "killed.bpf.o", "--policy", policy, "--audit-dir",
      directory.file("audit"), "--pin-path", pin, "--attach",
    ]
    let script = try directory.write(
      "kill.sh",
      """
      delay=$1; shift
      "$@" > /dev/null 2>&1 & loader=$!
      sleep $delay; kill -9 $loader 2> /dev/null
      wait $loader
      true
      """)
    func isLoaded() throws -> Bool { try Tools.run("bpftool", "prog", "show").contains(" \(name) ") }
    for round in 0..<40 {
      try Tools.run(["sh", script, "0.0\(10 + round)", VerityBPFCommand.path] + arguments)
      if try Directory.names(pins).contains("killed") {
        let unloaded = try unload(pin)
        #expect(unloaded.status == 0, "\(unloaded.errors)")
      }
      #expect(try !Directory.names(pins).contains("killed"))
      for _ in 0..<100 where try isLoaded() { try Tools.run("sleep", "0.02") }
      #expect(try !isLoaded(), "round \(round)")
    }
    let whole = try VerityBPFCommand.run(arguments)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try isLoaded())
    #expect(try unload(pin).status == 0)
  }
}
