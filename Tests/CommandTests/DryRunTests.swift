import Base
import TestSupport
import Testing

/// `load --dry-run` ends as the load would, and leaves nothing.
@Suite(.enabled(if: Tools.isRoot, "loading and BPF file systems need root"))
struct DryRunTests {
  private func prepared() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    try directory.write("all.pol", "policy_name=all policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    return directory
  }

  /// Runs a load and its dry run, each with a BPF file system of its own.
  private func both(
    _ options: [String], in directory: TemporaryDirectory, before: String = ":"
  ) throws -> (load: VerityBPFCommand.Result, dryRun: VerityBPFCommand.Result) {
    func run(_ more: [String]) throws -> VerityBPFCommand.Result {
      try VerityBPFCommand.run(
        ["load", "--object", "progs/xdp_counter.bpf.o", "--policy", "all.pol"] + options + more, in: directory.path,
        wrapper: [
          "unshare", "--mount", "sh", "-c",
          "mount -t bpf bpf /sys/fs/bpf 2>/dev/null; umask 077; \(before); exec \"$@\"", "sh",
        ])
    }
    return (try run([]), try run(["--dry-run"]))
  }

  struct Condition: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    let options: [String]
    var before = ":"
  }

  @Test(arguments: [
    Condition(testDescription: "no BPF file system", code: "load.pin-path", options: ["--pin-path", "here"]),
    Condition(testDescription: "its root", code: "load.pin-path", options: ["--pin-path", "/sys/fs/bpf"]),
    Condition(
      testDescription: "none is mounted", code: "load.pin-path", options: ["--pin-path", "/sys/fs/bpf/x"],
      before: "umount -l /sys/fs/bpf; umount -l /sys/fs/bpf 2>/dev/null"),
    Condition(
      testDescription: "pins that are there", code: "load.pin", options: ["--pin-path", "/sys/fs/bpf/x"],
      before:
        "mkdir -p /sys/fs/bpf/x/prog && bpftool map create /sys/fs/bpf/x/prog/xdp_counter type array key 4 value 4 entries 1 name t"
    ),
    Condition(
      testDescription: "no such interface", code: "load.no-such-place",
      options: ["--attach", "--interface", "no-such0"]),
    Condition(
      testDescription: "no audit directory", code: "audit.unwritable", options: ["--audit-dir", "/proc/nowhere"]),
    Condition(
      testDescription: "an audit directory that is a file", code: "audit.place", options: ["--audit-dir", "all.pol"]),
    Condition(
      testDescription: "a program that is not there", code: "load.no-such-program", options: ["--program", "absent"]),
  ])
  func endsAsTheLoad(condition: Condition) throws {
    let directory = try prepared()
    var options = condition.options
    if !options.contains("--audit-dir") { options += ["--audit-dir", "audit"] }
    let (load, dryRun) = try both(options, in: directory, before: condition.before)
    #expect(load.status != 0 && load.status == dryRun.status, "\(load.errors) \(dryRun.errors)")
    for result in [load, dryRun] {
      #expect(result.errors.contains("error[\(condition.code)]: "), "\(result.errors)")
      #expect(result.errors.contains("\n  next "), "\(result.errors)")
    }
  }

  @Test func leavesNothingAndSaysWhatItDoesNotKnow() throws {
    let directory = try prepared()
    let (_, dryRun) = try both(
      ["--audit-dir", "audit", "--pin-path", "/sys/fs/bpf/x", "--attach", "--interface", "lo"], in: directory)
    #expect(dryRun.status == 0, "\(dryRun.errors)")
    #expect(dryRun.output.contains("dry run  ") && dryRun.output.contains("unknown  what the kernel's verifier says"))
    let json = try VerityBPFCommand.run(
      [
        "load", "--object", "progs/task_list.bpf.o", "--policy", "all.pol", "--audit-dir", "none", "--dry-run",
        "--json",
      ],
      in: directory.path)
    guard case .array(let unknown)? = try json.json()["not_checked"] else {
      return #expect(Bool(false), "\(json.output)")
    }
    #expect(!unknown.isEmpty)
    #expect(try Tools.run("ls", directory.path).contains("none") == false)
  }

  /// A refusal of the verifier leaves its whole log beside the records, for their owner alone.
  @Test func keepsTheVerifiersLogs() throws {
    let directory = try prepared()
    try Tools.run(
      "make", "-s", "-C", "\(Tools.repository)/Tests/Fixtures/bpf-load", "-f",
      "\(Tools.repository)/images/demo/Makefile", "OUT=\(directory.file("fixtures"))",
      directory.file("fixtures/refused_access.bpf.o"))
    let result = try VerityBPFCommand.run(
      [
        "load", "--object", "fixtures/refused_access.bpf.o", "--policy", "all.pol", "--audit-dir",
        directory.file("audit"),
      ], in: directory.path)
    #expect(result.status == 5 && result.errors.contains("whole log    \(directory.file("audit"))/verifier-logs/"))
    #expect(try Tools.run("sh", "-c", "stat -c %a '\(directory.path)'/audit/verifier-logs/*").contains("600"))
  }
}
