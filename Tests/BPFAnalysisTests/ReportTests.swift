import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Linux
import Testing

/// What the analysis says of a program, against sources that are known to say it.
@Suite struct ReportTests {
  private static func report(_ source: String) throws -> ProgramReport {
    let bytes = try TestObject.compile(source: source + "\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
    return try #require(try BPFObject.report(bytes: bytes.rawSpan).programs.first)
  }

  @Test func helpersAndTheirInstructions() throws {
    let bytes = try TestObject.bytes("callbacks")
    let report = try BPFObject.report(bytes: bytes.rawSpan, objectName: "callbacks.bpf.o")
    #expect(report.license == "Dual BSD/GPL" && report.isGPLCompatible)
    let classify = try #require(report.programs.first)
    #expect(classify.helpers.map(\.id) == [164, 181, 182])
    #expect(classify.helpers.map(\.label) == ["bpf_for_each_map_elem#164", "bpf_loop#181", "bpf_strncmp#182"])
    let object = try TestObject.link("callbacks")
    for helper in classify.helpers {
      for instruction in helper.instructions {
        #expect(object.programs[0].instructions[instruction * 8] == 0x85)
        let instructions = object.programs[0].instructions
        let operand = try instructions.rawSpan.u32(at: instruction * 8 + 4)
        #expect(operand == helper.id)
      }
    }
    #expect(Set(classify.subprograms) == ["each", "step", "leaf", "left", "right"])
    #expect(classify.maps == ["table", "callback.data", ".rodata.str1.1", "callback.bss"])
    #expect(report.sections.map(\.name).contains(".BTF.ext") && report.debuggingSize > 0)
  }

  @Test func relocationsAreNamed() throws {
    let bytes = try TestObject.bytes("core")
    let programs = try BPFObject.report(bytes: bytes.rawSpan).programs
    #expect(programs[0].typeName == "tracing" && programs[0].attachTypeName == "trace_raw_tp")
    let subjects = programs[0].coreRelocations.map { "\($0.kindName) \($0.subject ?? "")" }
    #expect(subjects.contains("byte_off task_struct.pid") && subjects.contains("byte_off task_struct.comm"))
    #expect(subjects.contains("type_exists no_such_type___here") && subjects.contains("type_size task_struct"))
    // The subprogram's own relocations moved with it.
    #expect(subjects.contains("byte_off task_struct.real_parent"))
    #expect(programs[1].coreRelocations.map(\.subject) == ["task_struct.mm", "mm_struct.total_vm"])
  }

  @Test(arguments: [
    (36, "probe_write_user", LockdownMode.none), (4, "probe_read", .integrity),
    (45, "probe_read_str", .integrity), (113, "probe_read_kernel", .integrity),
    (115, "probe_read_kernel_str", .integrity), (112, "probe_read_user", .confidentiality),
    (14, "get_current_pid_tgid", .confidentiality),
  ])
  func lockdownIsKnownBeforeTheKernelIsAsked(
    _ helper: UInt32, _ name: String, _ strictest: LockdownMode
  ) throws {
    let report = try Self.report(
      """
      static long (*const helper)(void *, __u64, const void *) = (void *)\(helper);
      SEC("raw_tp/sys_enter") int f(void *ctx) { char b[8]; helper(b, 8, ctx); return 0; }
      """)
    #expect(report.strictestLockdown == strictest)
    #expect(report.helpers.map(\.name) == [name])
    let denied = report.restrictions(in: .confidentiality)
    #expect(denied.isEmpty == (strictest == .confidentiality))
    #expect(denied.allSatisfy { $0.helper?.id == helper && $0.moment == .load })
  }

  @Test(arguments: [
    ("kprobe/do_exit", ["KPROBES"]), ("kretprobe/do_exit", ["KPROBES"]), ("ksyscall/openat", ["KPROBES"]),
    ("uprobe//bin/sh:main", []), ("kprobe.multi/do_*", []), ("tp/sched/sched_switch", ["TRACEFS"]),
    ("raw_tp/sched_switch", []), ("xdp", []), ("perf_event", []),
  ])
  func attachingIsJudgedToo(_ section: String, _ reasons: [String]) throws {
    let report = try Self.report("SEC(\"\(section)\") int f(void *ctx) { return 0; }")
    #expect(report.restrictions.map(\.reason.rawValue) == reasons)
    #expect(report.restrictions.allSatisfy { $0.moment == .attach && $0.helper == nil })
    // Loading is allowed all the same.
    #expect(report.strictestLockdown == .confidentiality)
    #expect(report.restrictions(in: .integrity).isEmpty)
  }

  @Test(arguments: [
    ("xdp", ["CAP_BPF", "CAP_NET_ADMIN"]), ("socket", ["CAP_BPF"]), ("syscall", ["CAP_BPF"]),
    ("kprobe/x", ["CAP_BPF", "CAP_PERFMON"]), ("freplace/x", ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]),
  ])
  func capabilities(_ section: String, _ needed: [String]) throws {
    let report = try Self.report("SEC(\"\(section)\") int f(void *ctx) { return 0; }")
    #expect(report.capabilities.map(\.name) == needed)
  }

  /// The kernel agrees: what the report allows under this machine's lockdown mode loads, what it denies does not.
  @Test(
    .enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"), arguments: [36, 113, 115, 112] as [UInt32])
  func theKernelAgrees(_ helper: UInt32) throws {
    guard let modes = try? TestObject.read("/sys/kernel/security/lockdown"),
      let word = String(decoding: modes, as: UTF8.self).split(whereSeparator: { "[]".contains($0) }).dropFirst().first
    else {
      try Test.cancel("the kernel does not tell its lockdown mode")
    }
    let mode = try #require(LockdownMode(rawValue: String(word.split(separator: " ").first ?? "")))
    // probe_write_user takes (to, from, size), the others (to, size, from).
    let arguments = helper == 36 ? "(void *)now(), (__u64)b, (void *)8" : "b, 8, (void *)now()"
    let bytes = try TestObject.compile(
      source: """
        static long (*const helper)(void *, __u64, const void *) = (void *)\(helper);
        static __u64 (*const now)(void) = (void *)5;
        SEC("raw_tp/sys_enter") int f(void *ctx) { char b[8] = {}; helper(\(arguments)); return 0; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    let object = try BPFObject.link(bytes: bytes.rawSpan)
    let report = try #require(BPFObject.reports(of: object).first)
    let oracle = try KernelOracle(object)
    let allowed = report.restrictions(in: mode).isEmpty
    if allowed {
      _ = try oracle.load(object.programs[0])
    } else {
      #expect(throws: KernelOracle.Refusal.self) { try oracle.tryLoad(object.programs[0]) }
    }
  }
}
