import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Testing

/// What the analyses do not follow makes a program one of which the worst is assumed.
@Suite struct FollowedProgramTests {
  private static func reports(_ source: String) throws -> ObjectReport {
    let bytes = try TestObject.compile(
      source:
        "#include \"\(TestObject.root)/include/verity_bpf.h\"\n\(source)\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
    return try BPFObject.report(bytes: bytes.rawSpan, allowsExterns: true)
  }

  private static func report(_ source: String) throws -> ProgramReport {
    try #require(try reports(source).programs.first)
  }

  /// The worst answer of every analysis that does not depend on helpers.
  private static func expectWorst(_ report: ProgramReport, _ construct: String) {
    #expect(report.unfollowed.contains { $0.description.contains(construct) }, "\(report.unfollowed)")
    #expect(!report.isRestricted && report.readScope == .undeclared)
    #expect(report.classObjections.contains { $0.description.contains(construct) }, "\(report.classObjections)")
    #expect(report.powers.contains(.readKernelPointers))
  }

  /// A load through a pointer into the kernel is found, and named by its record.
  private static func expectRead(_ report: ProgramReport, _ subject: String) {
    #expect(report.unfollowed.isEmpty, "\(report.unfollowed)")
    #expect(!report.isRestricted && report.readScope == .undeclared)
    #expect(report.kernelReads.contains { $0.means == .pointer && $0.subject == subject }, "\(report.kernelReads)")
  }

  private static let declarations = """
    struct task_struct { int pid; struct task_struct *real_parent; } __attribute__((preserve_access_index));
    static struct task_struct *(*current)(void) = (void *)158;
    static long (*loop)(__u32 n, void *cb, void *ctx, __u64 flags) = (void *)181;
    static void *(*lookup)(void *map, const void *key) = (void *)1;
    struct { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; } where SEC(".maps");
    __u64 out;
    """

  /// The control of everything below: nothing speaks against it.
  @Test func aHarmlessProgramIsFollowed() throws {
    let report = try Self.report("\(Self.declarations) SEC(\"xdp\") int f(void *ctx) { out = 1; return 2; }")
    #expect(report.unfollowed.isEmpty && report.isRestricted && report.readScope == .none)
    #expect(report.strictestLockdown == .confidentiality)
  }

  /// A number becomes a pointer at the call of a global function, by a tag of its argument (Linux 6.17).
  @Test(arguments: ["arg:untrusted", "arg:trusted", "arg:nonnull", "arg:arena", "a tag of tomorrow"])
  func tagsOfArguments(_ tag: String) throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      __attribute__((noinline)) __u64 fetch(const __u64 *from __attribute__((btf_decl_tag("\(tag)")))) { return *from; }
      SEC("xdp") int f(void *ctx) {
        __u32 zero = 0;
        __u64 *cell = lookup(&where, &zero);
        if (cell) *cell = fetch((const __u64 *)*cell);
        return 2;
      }
      VERITY_BPF_READS(f, "nothing");
      """)
    Self.expectWorst(report, tag)
    #expect(report.kernelReads.contains { $0.means == .pointer })
  }

  @Test func whatAFunctionOfTheProgramReturns() throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      static __attribute__((noinline)) struct task_struct *who(void) { return current(); }
      SEC("kprobe/x") int f(void *ctx) { out = who()->pid; return 0; }
      """)
    #expect(report.readScope == .undeclared)
    #expect(report.kernelReads.map(\.subject) == ["task_struct.pid"])
    // Where nothing hands out a pointer into the kernel, no function can return one.
    let filter = try Self.report(
      """
      \(Self.declarations)
      static __attribute__((noinline)) __u64 *cell(__u32 key) { return lookup(&where, &key); }
      SEC("xdp") int f(void *ctx) { __u64 *value = cell(0); if (value) out = *value; return 2; }
      """)
    #expect(filter.readScope == .none && filter.isRestricted, "\(filter.classObjections)")
  }

  @Test func pointersThatCallbacksGet() throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      struct box { struct task_struct *task; };
      static long each(__u32 i, struct box *box) { out = box->task->pid; return 1; }
      SEC("kprobe/x") int f(void *ctx) { struct box box = {current()}; loop(1, each, &box, 0); return 0; }
      """)
    Self.expectRead(report, "task_struct.pid")
    // The helper itself hands its callback a task.
    let handed = try Self.report(
      """
      \(Self.declarations)
      static long (*find_vma)(void *task, __u64 address, void *cb, void *ctx, __u64 flags) = (void *)180;
      static long found(struct task_struct *task, void *vma, void *ctx) { out = task->pid; return 0; }
      SEC("kprobe/x") int f(void *ctx) { find_vma(0, 0, found, &out, 0); return 0; }
      """)
    Self.expectRead(handed, "task_struct.pid")
    // Without any pointer into the kernel a callback has none either.
    let counting = try Self.report(
      """
      \(Self.declarations)
      static long each(__u32 i, __u64 *sum) { *sum += i; return 0; }
      SEC("xdp") int f(void *ctx) { __u64 sum = 0; loop(9, each, &sum, 0); out = sum; return 2; }
      """)
    #expect(counting.unfollowed.isEmpty && counting.readScope == .none, "\(counting.undeclaredReads)")
  }

  /// An atomic operation leaves a pointer in a slot of the stack, and brings one back.
  @Test(arguments: ["0x000000e1fff82adb", "0x000000f1fff82adb"])
  func pointersThatAtomicOperationsMove(_ exchange: String) throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      SEC("kprobe/x") int f(void *ctx) {
        struct task_struct *task = current(); __u64 value = 0;
        asm volatile("r2 = %1; r0 = 0; *(u64 *)(r10 - 8) = r0; .8byte \(exchange); r1 = *(u64 *)(r10 - 8); %0 = *(u32 *)(r1 + 0);"
          : "=r"(value) : "r"(task) : "r0", "r1", "r2", "memory");
        out = value; return 0;
      }
      """)
    #expect(report.readScope == .undeclared && report.kernelReads.contains { $0.means == .pointer })
  }

  /// The kernel lets a program read a map's own structure through the map's address, and what that points to.
  @Test(arguments: [
    // Directly, and one step further.
    ("asm volatile(\"%0 = *(u32 *)(%1 + 4)\" : \"=r\"(value) : \"r\"(&where));", ""),
    (
      "struct bpf_map *map = (void *)&where; value = (__u64)map->ops->map_alloc;",
      """
      struct bpf_map_ops { void *map_alloc; } __attribute__((preserve_access_index));
      struct bpf_map { const struct bpf_map_ops *ops; } __attribute__((preserve_access_index));
      """
    ),
    // By way of the stack.
    (
      "asm volatile(\"*(u64 *)(r10 - 8) = %1; r2 = *(u64 *)(r10 - 8); %0 = *(u32 *)(r2 + 4)\" : \"=r\"(value) "
        + ": \"r\"(&where) : \"r2\", \"memory\");", ""
    ),
    // Through a function of the program's own, down and back.
    (
      "value = down(&where);",
      """
      static __attribute__((noinline)) __u64 down(void *map) {
        __u64 value; asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(value) : "r"(map)); return value;
      }
      """
    ),
    (
      "void *map = back(); asm volatile(\"%0 = *(u32 *)(%1 + 4)\" : \"=r\"(value) : \"r\"(map));",
      "static __attribute__((noinline)) void *back(void) { return &where; }"
    ),
    // A callback is handed the map.
    (
      "each(&where, seen, 0, 0);",
      """
      static long (*each)(void *map, void *cb, void *ctx, __u64 flags) = (void *)164;
      static long seen(void *map, __u32 *key, __u64 *cell, void *ctx) {
        __u64 value; asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(value) : "r"(map)); out = value; return 0;
      }
      """
    ),
  ])
  func theKernelsOwnStructureOfAMap(_ body: String, _ declarations: String) throws {
    let source = """
      \(Self.declarations) \(declarations)
      SEC("xdp") int f(void *ctx) { __u64 value = 0; \(body) out = value; return 2; }
      """
    let report = try Self.report(source)
    #expect(report.kernelReads.contains { $0.means == .pointer } && report.readScope == .undeclared)
    #expect(!report.isRestricted, "\(report.classObjections)")
    // It is no idle fear: the kernel takes such programs.
    guard KernelOracle.isAvailable else { return print("skipped: this process cannot load programs") }
    let bytes = try TestObject.compile(source: source + "\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
    let object = try BPFObject.link(bytes: bytes.rawSpan)
    _ = try KernelOracle(object).load(object.programs[0])
  }

  @Test func aMapFoundInAMap() throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      struct inner { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; };
      struct { int (*type)[12]; int (*max_entries)[1]; __u32 *key; struct inner *values[]; } outer SEC(".maps");
      SEC("xdp") int f(void *ctx) {
        __u32 zero = 0; __u64 value;
        void *map = lookup(&outer, &zero);
        if (!map) return 2;
        asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(value) : "r"(map));
        out = value;
        return 2;
      }
      """)
    #expect(report.readScope == .undeclared)
  }

  /// Opcodes, modes and fields that the list does not have, each in a program that is harmless without it. The
  /// instructions are given as the words that they are encoded as.
  @Test(arguments: [
    ("0x000000000000010d", "an indirect jump", false), ("0x000000000000018d", "an indirect call", false),
    ("0x000000010001_12bf", "a cast between address spaces", false),
    // A register as operand, and a number in the field that then has to be zero.
    ("0x000000010000120f", "opcode 0xf", true), ("0x000000010000121d", "opcode 0x1d", true),
    ("0x00000002000012db", "opcode 0xdb", true), ("0x000000e1000012cb", "opcode 0xcb", true),
    ("0x0000000000000199", "opcode 0x99", true), ("0x00000000000001b9", "opcode 0xb9", true),
    ("0x00000000000000f5", "opcode 0xf5", true),
    ("0x0000000000010195", "opcode 0x95", true), ("0x00000000000001ff", "opcode 0xff", true),
    ("0x00000000000c12bf", "opcode 0xbf", true), ("0x0000000000021237", "opcode 0x37", true),
    ("0x0000000100001279", "opcode 0x79", true), ("0x000000000000b1bf", "opcode 0xbf", true),
    ("0x00000011000001d7", "opcode 0xd7", true), ("0x0000000000001262", "opcode 0x62", true),
  ])
  func instructionsThatAreNotListed(_ word: String, _ construct: String, _ isUnknown: Bool) throws {
    let encoded = word.filter { $0 != "_" }
    let report = try Self.report(
      "\(Self.declarations) SEC(\"xdp\") int f(void *ctx) { asm volatile(\".8byte \(encoded)\"); return 2; }")
    Self.expectWorst(report, construct)
    #expect(report.restrictions.map(\.reason) == (isUnknown ? [.unknownConstruct] : []))
    #expect(report.strictestLockdown == (isUnknown ? .none : .confidentiality))
  }

  /// What a load-acquire puts into a register decides what runs: all of it counts as reached.
  @Test(arguments: ["0x00000100000021db", "0x0000000000002179"])
  func codeBehindALoadIsLive(_ load: String) throws {
    let report = try Self.report(
      """
      __u64 flag = 1; __u64 out;
      static long (*copy)(void *to, __u32 size, const void *from) = (void *)113;
      SEC("raw_tracepoint/sys_enter") int f(void *ctx) {
        __u64 *where = &flag, value = 0;
        asm volatile goto("r1 = 0; r2 = %0; .8byte \(load); if r1 == 0 goto %l1;"
          : : "r"(where) : "r1", "r2", "memory" : skip);
        copy(&value, 8, (void *)8);
        out = value;
      skip:
        return 0;
      }
      """)
    #expect(report.strictestLockdown == .integrity)
  }

  @Test func structuresOfFunctionsAreToldOfEveryProgram() throws {
    let report = try Self.report(
      """
      struct tcp_congestion_ops { char name[16]; };
      SEC("xdp") int f(void *ctx) { return 2; }
      SEC(".struct_ops.link") struct tcp_congestion_ops mine = {.name = "mine"};
      """)
    Self.expectWorst(report, "tcp_congestion_ops")
  }

  @Test(arguments: [
    ("int (*type)[33]; int (*map_flags)[1024]; int (*max_entries)[1];", "of type arena")
  ])
  func mapsWhoseValuesMayBePointers(_ map: String, _ construct: String) throws {
    let report = try Self.report(
      """
      static void *(*lookup)(void *map, const void *key) = (void *)1;
      struct { \(map) } notes SEC(".maps");
      SEC("xdp") int f(void *ctx) { __u32 zero = 0; return !!lookup(&notes, &zero); }
      """)
    Self.expectWorst(report, construct)
  }

  /// The values of a map that is shared by its name are of the pinned map's own types: what is read out of one may be a
  /// pointer into the kernel, and is harmless as long as nothing goes through it.
  @Test(arguments: [("out = *cell;", ReadScope.none), ("out = *(__u32 *)*cell;", .undeclared)])
  func mapsThatAreSharedByName(_ body: String, _ scope: ReadScope) throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      struct { int (*type)[2]; int (*pinning)[1]; __u32 *key; __u64 *value; int (*max_entries)[1]; } notes SEC(".maps");
      SEC("xdp") int f(void *ctx) {
        __u32 zero = 0; __u64 *cell = lookup(&notes, &zero); if (cell) { \(body) } return 2;
      }
      """)
    #expect(report.readScope == scope && report.unfollowed.isEmpty, "\(report.undeclaredReads)")
    #expect(!report.isRestricted && report.classObjections.contains { $0.description.contains("shared by its name") })
  }

  /// Every way of being called when others do something is a probe.
  @Test(arguments: [
    ("kprobe/x", true), ("uprobe", true), ("tracepoint/a/b", true), ("raw_tracepoint/x", true), ("raw_tp.w/x", true),
    ("tp_btf/x", true), ("fentry/x", true), ("fexit/x", true), ("fmod_ret/x", true), ("lsm/file_open", true),
    ("perf_event", true), ("kprobe.multi/x", true), ("freplace/x", true), ("iter/task", false), ("xdp", false),
    ("tc", false), ("socket", false), ("syscall", false), ("cgroup_skb/ingress", false), ("sockops", false),
  ])
  func whoListensIsAProbe(_ section: String, _ listens: Bool) throws {
    let report = try Self.report("SEC(\"\(section)\") int f(void *ctx) { return 0; }")
    #expect(report.powers.contains(.probe) == listens)
  }

  /// What another function put in memory, or returns, is no field that a record names.
  @Test func recordsDoNotOutliveACall() throws {
    let report = try Self.report(
      """
      \(Self.declarations)
      static __attribute__((noinline)) struct task_struct *next(struct task_struct *task) {
        return (void *)task + 8;
      }
      SEC("fentry/x") int f(unsigned long *ctx) {
        struct task_struct *task = (void *)ctx[0];
        return next(task)->pid;
      }
      VERITY_BPF_READS(f, "struct task_struct: pid");
      """)
    #expect(report.readScope == .undeclared)
  }
}
