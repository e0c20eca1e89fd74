import Base
import Linux
import TestSupport
import Testing

/// `load --set`: constants that whoever loads an object chooses.
@Suite struct SetVariableTests {
  let directory: TemporaryDirectory

  /// An image with one object, which reads the kernel's memory when a constant says so.
  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    try directory.write(
      "o.bpf.c",
      """
      #include "vbpf.h"
      static long (*probe_read_kernel)(void *, __u32, const void *) = (void *)113;
      const volatile bool reads = false;
      const volatile __u32 count = 3;
      const volatile char name[8] = "old";
      __u32 counter;
      SEC("raw_tp/sys_enter") int f(void *context) {
        __u64 value = 0;
        if (reads) probe_read_kernel(&value, sizeof(value), context);
        counter += count + name[0];
        return value != 0;
      }
      char LICENSE[] SEC("license") = "GPL";
      """)
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c",
      directory.file("o.bpf.c"), "-o", directory.file("progs/o.bpf.o"))
    let built = try VerityBPFCommand.run(["build-image", "progs", "-o", "i.raw"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
  }

  private func load(_ options: String..., rule: String = "") throws -> VerityBPFCommand.Result {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return try VerityBPFCommand.run(
      ["load", "--image", "i.raw", "--object", "o.bpf.o", "--policy", "p.pol", "--audit-dir", "audit", "--json"]
        + options,
      in: directory.path)
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be loaded")) func setsAndFreezes() throws {
    let pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
    defer { _ = try? Tools.run("umount", pins) }
    let loaded = try load("--set", "count=0x10", "--set", "name=eth0", "--pin-path", "\(pins)/o")
    #expect(loaded.status == 0, "\(loaded.errors)")
    let expected: JSONValue = [
      ["name": "count", "type": "__u32", "value": "0x10", "map": "o.rodata"],
      ["name": "name", "type": "char[8]", "value": "eth0", "map": "o.rodata"],
    ]
    #expect(try loaded.json()["variables"] == expected)
    #expect(try SchemaTests.schema("load").faults(in: loaded.json()) == [])
    let dump = try Tools.run("bpftool", "map", "dump", "pinned", "\(pins)/o/map/rodata")
    #expect(dump.contains("\"count\": 16") && dump.contains("eth0"), "\(dump)")
    let shown = try Tools.run("bpftool", "map", "show", "pinned", "\(pins)/o/map/rodata")
    #expect(shown.contains("frozen"), "\(shown)")
    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    for record in records { #expect(try SchemaTests.schema("audit").faults(in: record) == []) }
    #expect(records.last { $0["stage"] == "decision" }?["variables"] == expected)
    #expect(
      records.last { $0["stage"] == "attempt" }?["variables"]
        == [["name": "count", "value": "0x10"], ["name": "name", "value": "eth0"]])
  }

  /// A constant decides which code is live, so the facts are of the object as it will be.
  @Test func thePolicyJudgesTheConfiguredObject() throws {
    let rule = "x_lockdown=CONFIDENTIALITY "
    #expect(try load("--dry-run", rule: rule).status == 0)
    #expect(try load("--dry-run", "--set", "count=4", rule: rule).status == 0)
    #expect(try load("--dry-run", "--set", "reads=true", rule: rule).status == 2)
    #expect(try load("--dry-run", rule: "x_configured=FALSE ").status == 0)
    #expect(try load("--dry-run", "--set", "count=4", rule: "x_configured=FALSE ").status == 2)
    #expect(try load("--dry-run", "--set", "count=4", rule: "x_configured=TRUE ").status == 0)
  }

  @Test(arguments: [
    ("absent=1", "load.no-variable", "reads (bool), count (__u32), name (char[8])"),
    ("counter=1", "load.variable-not-constant", "section `.bss`"),
    ("count=-1", "load.variable-value", "0 to 4294967295"),
    ("name=12345678", "load.variable-value", "at most 7 bytes"),
  ])
  func refusals(_ text: String, _ code: String, _ says: String) throws {
    let result = try load("--dry-run", "--set", text)
    #expect(result.status == 64 && result.errors.contains("error[\(code)]"), "\(result.errors)")
    #expect(result.errors.contains(says), "\(result.errors)")
  }

  @Test(arguments: [["count"], ["=1"], ["count[=1"], ["count=1", "count=2"]])
  func otherForms(texts: [String]) throws {
    let result = try VerityBPFCommand.run(
      ["load", "--image", "i.raw", "--object", "o.bpf.o", "--policy", "p.pol", "--dry-run"]
        + texts.map { "--set=\($0)" }, in: directory.path)
    #expect(result.status == 64 && result.errors.contains("--set"), "\(result.errors)")
  }
}
