import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Testing

/// What the analysis says a program reads and needs, against sources that are known to say it.
@Suite struct AnalysisTests {
  private static func report(_ source: String) throws -> ProgramReport {
    let bytes = try TestObject.compile(source: source + "\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
    let report = try BPFObject.report(bytes: bytes.rawSpan, allowsExterns: true)
    return try #require(report.programs.first)
  }

  private static let task = """
    struct mm { unsigned long total; } __attribute__((preserve_access_index));
    struct task_struct { int pid; struct task_struct *real_parent; char comm[16]; }
      __attribute__((preserve_access_index));
    """

  @Test(arguments: [
    // A field of what the context holds, and of what that points to.
    ("tp_btf/x", "struct task_struct *t = (void *)ctx[1]; return t->pid;", ["task_struct.pid"]),
    (
      "fentry/x", "struct task_struct *t = (void *)ctx[0]; return t->real_parent->pid;",
      ["task_struct.real_parent", "task_struct.pid"]
    ),
    // Through the stack and back.
    (
      "lsm/x",
      "struct task_struct *t = (void *)ctx[0]; struct task_struct *volatile kept = t; return kept->pid;",
      ["task_struct.pid"]
    ),
    // What a helper hands out, in a program whose context has no pointers.
    (
      "raw_tp/x",
      "struct task_struct *(*current)(void) = (void *)158; return current()->pid;", ["task_struct.pid"]
    ),
    // Numbers and the context are no kernel memory, nor is the stack.
    ("tp_btf/x", "volatile unsigned long a = ctx[0]; return a + ctx[1];", []),
    ("raw_tp/x", "return ctx[0] + ctx[1];", []),
  ])
  func pointersAreFollowed(_ section: String, _ body: String, _ subjects: [String]) throws {
    let report = try Self.report("\(Self.task)\nSEC(\"\(section)\") int f(unsigned long *ctx) { \(body) }")
    #expect(report.kernelReads.map { $0.subject ?? "?" } == subjects)
    #expect(report.kernelReads.allSatisfy { $0.means == .pointer })
    // Lockdown sees none of these.
    #expect(report.strictestLockdown == .confidentiality)
  }

  @Test func packetsAndMapsAreNoKernelMemory() throws {
    for name in ["data", "maps", "callbacks", "slots"] {
      let bytes = try TestObject.bytes(name)
      let report = try BPFObject.report(bytes: bytes.rawSpan)
      for program in report.programs where ["xdp", "sched_cls", "socket_filter"].contains(program.typeName) {
        #expect(program.kernelReads.isEmpty, "\(name)/\(program.name)")
      }
    }
  }

  /// A pointer that goes down into a subprogram, by the address of a variable.
  @Test func subprogramsAreFollowed() throws {
    let report = try Self.report(
      """
      \(Self.task)
      __attribute__((noinline)) static int deep(struct task_struct **t) { return (*t)->pid; }
      SEC("tp_btf/x") int f(unsigned long *ctx) {
        struct task_struct *t = (void *)ctx[1]; asm volatile("" : : "r"(&t) : "memory"); return deep(&t);
      }
      """)
    #expect(report.kernelReads.contains { $0.subject == "task_struct.pid" })
  }

  @Test func helpersThatReadAreNamed() throws {
    let report = try Self.report(
      """
      static long (*const read)(void *, __u32, const void *) = (void *)113;
      SEC("kprobe/x") int f(void *ctx) { long v; read(&v, 8, ctx); return v; }
      """)
    let helper = try #require(report.helpers.first)
    #expect(report.kernelReads.map(\.means) == [.helper(helper)])
    #expect(report.kernelReads.map(\.instruction) == helper.instructions)
    #expect(report.userWrites.isEmpty)
  }

  @Test func unknownHelpersAreRefusedUnderEveryMode() throws {
    let report = try Self.report(
      """
      static long (*const newer)(void) = (void *)4711;
      SEC("xdp") int f(void *ctx) { return newer(); }
      """)
    #expect(report.strictestLockdown == .none)
    #expect(report.restrictions.map(\.reason) == [.unknownHelper])
    #expect(report.restrictions.first?.helper?.label == "bpf_unknown#4711")
  }

  /// The first helper of each release since 5.0, as docs.ebpf.io dates their commits.
  @Test(arguments: [
    ("msg_pop_data", "5.0"), ("spin_lock", "5.1"), ("skc_lookup_tcp", "5.2"), ("send_signal", "5.3"),
    ("tcp_gen_syncookie", "5.4"), ("skb_output", "5.5"), ("tcp_send_ack", "5.6"), ("read_branch_records", "5.7"),
    ("ktime_get_boot_ns", "5.8"), ("skc_to_tcp6_sock", "5.9"), ("load_hdr_opt", "5.10"),
    ("task_storage_get", "5.11"), ("check_mtu", "5.12"), ("for_each_map_elem", "5.13"), ("sys_bpf", "5.14"),
    ("timer_init", "5.15"), ("get_branch_snapshot", "5.16"), ("find_vma", "5.17"), ("get_retval", "5.18"),
    ("kptr_xchg", "5.19"), ("tcp_raw_gen_syncookie_ipv4", "6.0"), ("ktime_get_tai_ns", "6.1"),
    ("cgrp_storage_get", "6.2"),
  ])
  func releasesBeginWithTheirFirstHelper(_ name: String, _ version: String) throws {
    let helper = try #require(Helper(name: name))
    #expect(helper.since.description == version)
    #expect(Helper(rawValue: helper.rawValue - 1)?.since != helper.since)
  }

  @Test(arguments: [
    (1, "3.19"), (4, "4.1"), (36, "4.8"), (37, "4.9"), (45, "4.11"), (113, "5.5"), (119, "5.7"), (130, "5.8"),
    (148, "5.10"), (158, "5.11"), (164, "5.13"), (166, "5.14"), (181, "5.17"), (208, "6.1"), (211, "6.2"),
  ])
  func helpersHaveTheirRelease(_ id: UInt32, _ version: String) {
    #expect(Helper(called: id)?.since.description == version)
    #expect(Helper(called: 0) == nil && Helper(called: 212) == nil)
  }

  @Test(arguments: [
    ("xdp", "return 0;", "5.0", "function information (BTF)"),
    ("syscall", "return 0;", "5.14", "program type syscall"),
    ("kprobe.multi/x", "return 0;", "5.18", "attach type trace_kprobe_multi"),
    ("xdp", "static long (*const now)(void) = (void *)208; return now();", "6.1", "helper bpf_ktime_get_tai_ns#208"),
    ("cgroup/getpeername4", "return 1;", "5.8", "attach type cgroup_inet4_getpeername"),
    ("sk_reuseport/migrate", "return 0;", "5.0", "function information (BTF)"),
  ])
  func theOldestKernelIsKnown(_ section: String, _ body: String, _ version: String, _ reason: String) throws {
    let report = try Self.report("SEC(\"\(section)\") int f(void *ctx) { \(body) }")
    #expect("\(report.minimumKernel.version)" == version && report.minimumKernel.reason == reason)
  }

  @Test func relocationsAndMapsNeedTheirKernels() throws {
    let bytes = try TestObject.bytes("core")
    let core = try BPFObject.report(bytes: bytes.rawSpan)
    #expect(core.programs.allSatisfy { $0.minimumKernel.version >= KernelRelease(5, 17) })
  }

  private static let map = """
    struct { int (*type)[%T]; int *key; long *value; int (*max_entries)[%N]; } notes SEC(".maps");
    static void *(*const lookup)(void *, const void *) = (void *)1;
    """

  private static func map(type: Int, entries: Int) -> String {
    var text = ""
    var rest = map[...]
    while let mark = rest.firstIndex(of: "%") {
      text += rest[..<mark] + (rest[mark...].hasPrefix("%T") ? "\(type)" : "\(entries)")
      rest = rest[mark...].dropFirst(2)
    }
    return text + rest
  }

  @Test(arguments: [
    ("xdp", "return 2;", nil), ("cgroup_skb/ingress", "return 1;", nil),
    ("kprobe/x", "return 0;", "programs of type kprobe"), ("syscall", "return 0;", "programs of type syscall"),
    (
      "xdp", "static long (*const h)(void *, int, long) = (void *)6; char t[2] = {}; return h(t, 2, 0);",
      "trace_printk#6"
    ),
    ("xdp", "static long (*const h)(void) = (void *)35; return h();", "get_current_task#35"),
    (
      "tc", "static long (*const h)(void *, int, void *) = (void *)112; long v; return h(&v, 8, ctx);",
      "probe_read_user#112"
    ),
    ("xdp", "static long (*const h)(void) = (void *)4711; return h();", "unknown#4711"),
    ("xdp", "static long (*const h)(int, void *, void *, long) = (void *)181; return h(9, 0, 0, 0);", "loop#181"),
    (
      "tc", "static long (*const h)(void *, void *, int, long, long) = (void *)84; return h(ctx, 0, 0, 0, 0);",
      "sk_lookup_tcp#84"
    ),
    ("xdp", "asm volatile(\".8byte 0xe5\"); return 2;", "may_goto"),
  ])
  func restrictedIsWhatStaysWithThePacket(_ section: String, _ body: String, _ objection: String?) throws {
    let report = try Self.report("SEC(\"\(section)\") int f(void *ctx) { \(body) }")
    #expect(report.isRestricted == (objection == nil), "\(report.classObjections)")
    if let objection { #expect(report.classObjections.map(\.description).joined().contains(objection)) }
  }

  @Test(arguments: [(1, 1000, true), (2, 1000, true), (1, 2_000_000, false), (3, 10, false), (29, 1, false)])
  func restrictedMapsAreBounded(_ type: Int, _ entries: Int, _ isRestricted: Bool) throws {
    let report = try Self.report(
      "\(Self.map(type: type, entries: entries)) SEC(\"xdp\") int f(void *ctx) { int k = 0; return !!lookup(&notes, &k); }"
    )
    #expect(report.isRestricted == isRestricted, "\(report.classObjections)")
  }

  /// The limit of 16 MiB to the byte: the values of an array, of eight bytes each, in one map and in two together.
  @Test(arguments: [
    ([2 << 20], true), ([2 << 20 + 1], false), ([1 << 20, 1 << 20], true), ([1 << 20, 1 << 20 + 1], false),
  ])
  func restrictedMapsAreBoundedTogether(_ sizes: [Int], _ isRestricted: Bool) throws {
    let maps = sizes.enumerated().map { index, entries in
      "struct { int (*type)[2]; int *key; long *value; int (*max_entries)[\(entries)]; } m\(index) SEC(\".maps\");"
    }
    let report = try Self.report("\(maps.joined()) SEC(\"xdp\") int f(void *ctx) { return 2; }")
    #expect(report.isRestricted == isRestricted, "\(report.classObjections)")
    #expect(report.classObjections == (isRestricted ? [] : [.mapMemory]))
  }

  /// A map that others find by its name is made, or taken over, whether the program uses it or not.
  @Test func sharedMapsAreNotRestricted() throws {
    func report(_ pinning: String) throws -> ProgramReport {
      try Self.report(
        """
        struct { int (*type)[2]; \(pinning) int *key; long *value; int (*max_entries)[1]; } notes SEC(".maps");
        SEC("xdp") int f(void *ctx) { return 2; }
        """)
    }
    #expect(try report("").isRestricted)
    let shared = try report("int (*pinning)[1];")
    #expect(!shared.isRestricted && shared.classObjections == [.sharedMap("notes")], "\(shared.classObjections)")
  }

  private static func annotated(_ annotations: String) throws -> ObjectReport {
    let bytes = try TestObject.compile(
      source: """
        #include "\(header)"
        \(task)
        SEC("fentry.s/x") int f(unsigned long *ctx) { struct task_struct *t = (void *)ctx[0]; return t->pid; }
        \(annotations)
        char LICENSE[] SEC("license") = "GPL";
        """)
    return try BPFObject.report(bytes: bytes.rawSpan)
  }

  private static var header: String { "\(TestObject.root)/include/verity_bpf.h" }

  @Test func promisesAreHeldAgainstTheInstructions() throws {
    let report = try Self.annotated(
      """
      VERITY_BPF_MAY(f, integrity, "read-kernel-pointers sleep probe");
      VERITY_BPF_MAY(f, confidentiality, "nothing");
      """)
    let program = try #require(report.programs.first)
    #expect(program.powers == [.readKernelPointers, .sleep, .probe])
    #expect(report.annotations.map(\.mode) == [.integrity, .confidentiality])
    #expect(report.annotations.map { $0.excess(of: program) } == [[], [.readKernelPointers, .sleep, .probe]])
  }

  /// Helpers that lockdown has nothing against, and that copy kernel memory all the same, or act for the program.
  @Test(arguments: [
    (
      "int (*h)(const char *, int, ...) = (void *)6; char m[] = \"%s\"; h(m, sizeof m, ctx[0]);",
      ProgramPower.readKernel
    ),
    ("char b[9]; int (*h)(void *, char *, int) = (void *)147; h((void *)ctx[0], b, 9);", .readKernel),
    ("char b[9]; int (*h)(void *, void *, int, long) = (void *)67; h(ctx, b, 8, 0);", .readKernel),
    ("int k = 0; int (*h)(void *, void *, long, long) = (void *)2; h(&notes, &k, ctx[0], 0);", .readKernel),
    ("int (*h)(int, void *, int) = (void *)166; h(0, 0, 0);", .kernelFunctions),
  ])
  func helpersThatReadWithoutLockdown(_ body: String, _ power: ProgramPower) throws {
    let report = try Self.report(
      "\(Self.map(type: 2, entries: 1)) SEC(\"fentry/x\") int f(unsigned long *ctx) { \(body) return 0; }")
    #expect(report.powers.contains(power), "\(report.powers)")
  }

  @Test(arguments: [
    ("VERITY_BPF_MAY(f, integrity, \"fly\");", "annotation.unknown-word"),
    ("VERITY_BPF_MAY(f, integrity, \"nothing sleep\");", "annotation.unknown-word"),
    ("VERITY_BPF_MAY(f, none, \"nothing\");", "annotation.unknown-word"),
    ("VERITY_BPF_MAY(g, integrity, \"nothing\");", "annotation.unknown-program"),
    ("VERITY_BPF_MAY(f, integrity, \"\");", "annotation.damaged"),
    (
      "static const char a[] __attribute__((section(\".verity_bpf\"), used)) = \"f integrity: sleep\";",
      "annotation.damaged"
    ),
    ("static const char a[2] __attribute__((section(\".verity_bpf\"), used)) = {'f', ' '};", "annotation.damaged"),
    (
      "VERITY_BPF_MAY(f, integrity, \"sleep\"); "
        + "static const char a[] __attribute__((section(\".verity_bpf\"), used)) = \"f integrity: nothing\\n\";",
      "annotation.twice"
    ),
  ])
  func brokenPromisesAreRefused(_ annotation: String, _ code: String) {
    let error = #expect(throws: BPFObjectError.self) { try Self.annotated(annotation) }
    #expect(error?.check.rawValue == code)
  }

  /// Tangled code ends in an answer, and one that misses nothing.
  @Test func damagedCodeIsFollowedToo() throws {
    let original = try TestObject.bytes("core")
    var generator = Generator(9)
    for _ in 0..<200 {
      var bytes = original
      for _ in 0..<6 {
        bytes[Int.random(in: 64..<1200, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      // The result does not matter here, only that there is one.
      _ = try? BPFObject.report(bytes: bytes.rawSpan)
    }
  }
}
