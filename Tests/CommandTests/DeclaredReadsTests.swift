import Base
import Linux
import TestSupport
import Testing

/// What authors declare to read of the kernel's memory, as `inspect` shows it and `load` holds them to it.
@Suite struct DeclaredReadsTests {
  private static func object(_ directory: TemporaryDirectory, _ body: String, reads fields: String?) throws {
    try directory.write(
      "f.bpf.c",
      """
      #include "verity_bpf.h"
      struct cred { int uid; } __attribute__((preserve_access_index));
      struct task_struct { int pid; const struct cred *cred; } __attribute__((preserve_access_index));
      __attribute__((section("tp_btf/sched_wakeup"), used)) int f(unsigned long *ctx) {
        struct task_struct *t = (void *)ctx[0];
        \(body)
      }
      \(fields.map { "VERITY_BPF_READS(f, \"\($0)\");" } ?? "")
      char LICENSE[] __attribute__((section("license"), used)) = "GPL";
      """)
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/include", "-c", directory.file("f.bpf.c"),
      "-o",
      directory.file("f.bpf.o"))
  }

  private static func decide(_ directory: TemporaryDirectory, _ rule: String) throws -> VerityBPFCommand.Result {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return try VerityBPFCommand.run(
      ["load", "--object", "f.bpf.o", "--policy", "p.pol", "--dry-run"], in: directory.path)
  }

  @Test func policiesCanAskForIt() throws {
    let directory = try TemporaryDirectory()
    try Self.object(directory, "return t->pid;", reads: "struct task_struct: pid")
    #expect(try Self.decide(directory, "x_reads=DECLARED ").status == 0)
    #expect(try Self.decide(directory, "x_reads=NONE ").status == 2)
    try Self.object(directory, "return t->pid;", reads: nil)
    #expect(try Self.decide(directory, "x_reads=DECLARED ").status == 2)
    #expect(try Self.decide(directory, "x_reads=UNDECLARED ").status == 0)
    try Self.object(directory, "return t != 0;", reads: "nothing")
    #expect(try Self.decide(directory, "x_reads=NONE ").status == 0)
  }

  @Test func whoReadsMoreIsDeniedByEveryPolicy() throws {
    let directory = try TemporaryDirectory()
    try Self.object(directory, "return t->pid + t->cred->uid;", reads: "struct task_struct: pid")
    let denied = try Self.decide(directory, "")
    #expect(denied.status == 2 && denied.errors.contains("error[annotation.reads-exceeded]"), "\(denied.errors)")
    #expect(denied.errors.contains("reads task_struct.cred") && denied.errors.contains("reads cred.uid"))
    let inspected = try VerityBPFCommand.run(["inspect", "f.bpf.o"], in: directory.path)
    #expect(inspected.output.contains("it reads task_struct: pid: BROKEN by instruction"), "\(inspected.output)")
    let program = try VerityBPFCommand.run(["inspect", "f.bpf.o", "--json"], in: directory.path).json()["programs"]
    guard case .array(let programs)? = program else {
      Issue.record("no programs")
      return
    }
    #expect(programs.first?["read_scope"] == "undeclared")
  }
}
