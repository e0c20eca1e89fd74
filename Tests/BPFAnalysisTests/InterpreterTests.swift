import BPFAnalysis
import BPFObject
import BPFTestSupport
import Base
import KernelABI
import Testing

/// The ways that pointers into the kernel, the addresses of fields and numbers take through a program.
@Suite struct InterpreterTests {
  private static let declarations = """
    struct task_struct { int pid; struct task_struct *real_parent; } __attribute__((preserve_access_index));
    static struct task_struct *(*current)(void) = (void *)158;
    static long (*loop)(__u32 n, void *cb, void *ctx, __u64 flags) = (void *)181;
    static long (*each)(void *map, void *cb, void *ctx, __u64 flags) = (void *)164;
    static void *(*lookup)(void *map, const void *key) = (void *)1;
    static long (*probe)(void *to, __u32 size, const void *from) = (void *)113;
    struct { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; } where SEC(".maps");
    __u64 out;
    """

  private static func report(_ source: String, declares: String? = nil) throws -> ProgramReport {
    let promise = declares.map { "VERITY_BPF_READS(f, \"\($0)\");" } ?? ""
    let bytes = try TestObject.compile(
      source: """
        #include "\(TestObject.root)/include/verity_bpf.h"
        \(declarations)
        \(source)
        \(promise)
        char LICENSE[] SEC("license") = "GPL";
        """)
    let report = try BPFObject.report(bytes: bytes.rawSpan, allowsExterns: true)
    return try #require(report.programs.first)
  }

  /// Each hands a task on in another way, and reads its `pid` (four bytes from where the pointer leads) at the end.
  @Test(arguments: [
    // A load-acquire brings a pointer from the stack, and goes through one.
    (
      "asm volatile(\"*(u64 *)(r10 - 8) = %1; r2 = r10; r2 += -8; .8byte 0x00000100000021db; %0 = *(u32 *)(r1 + 0)\""
        + " : \"=r\"(value) : \"r\"(task) : \"r1\", \"r2\", \"memory\");", ""
    ),
    (
      "asm volatile(\"r2 = %1; .8byte 0x00000100000021c3; %0 = r1\" : \"=r\"(value) : \"r\"(task) : \"r1\", \"r2\");",
      ""
    ),
    // A store-release leaves it on the stack.
    (
      "asm volatile(\"r1 = r10; r2 = %1; .8byte 0x00000110fff821db; r1 = *(u64 *)(r10 - 8); %0 = *(u32 *)(r1 + 0)\""
        + " : \"=r\"(value) : \"r\"(task) : \"r1\", \"r2\", \"memory\");", ""
    ),
    // The stack at a place that only the running program knows.
    (
      """
      asm volatile("r1 = r10; r2 = %2; r2 &= 8; r1 += r2; *(u64 *)(r1 - 32) = %1; r1 = *(u64 *)(r10 - 24);"
        "%0 = *(u32 *)(r1 + 0)" : "=r"(value) : "r"(task), "r"(out) : "r1", "r2", "memory");
      """, ""
    ),
    (
      """
      asm volatile("r1 = r10; r2 = %2; r2 &= 8; r1 += r2; *(u64 *)(r10 - 24) = %1; r1 = *(u64 *)(r1 - 32);"
        "%0 = *(u32 *)(r1 + 0)" : "=r"(value) : "r"(task), "r"(out) : "r1", "r2", "memory");
      """, ""
    ),
    // Through functions: down twice and back, into the caller's stack, and by way of a third.
    (
      "value = read(forward(task));",
      """
      static __attribute__((noinline)) struct task_struct *again(struct task_struct *t) { asm volatile(""); return t; }
      static __attribute__((noinline)) struct task_struct *forward(struct task_struct *t) { return again(t); }
      static __attribute__((noinline)) __u64 read(struct task_struct *t) { return t->pid; }
      """
    ),
    (
      "struct task_struct *kept = 0; give(&kept); if (kept) value = kept->pid;",
      """
      static __attribute__((noinline)) int give(struct task_struct **to) { *to = current(); return 0; }
      """
    ),
    // What a helper hands a callback of what it was handed.
    (
      "struct task_struct *kept = task; loop(1, seen, &kept, 0);",
      "static long seen(__u32 i, struct task_struct **box) { out = (*box)->pid; return 1; }"
    ),
    (
      "struct task_struct *kept = task; each(&where, seen, &kept, 0);",
      """
      static long seen(void *map, __u32 *key, __u64 *cell, struct task_struct **box) { out = (*box)->pid; return 1; }
      """
    ),
    // A callback that leaves it on its caller's stack.
    (
      "struct task_struct *kept = 0; loop(1, seen, &kept, 0); if (kept) value = kept->pid;",
      "static long seen(__u32 i, struct task_struct **box) { *box = current(); return 1; }"
    ),
    // In a loop, where only the second time round it is one.
    (
      """
      struct task_struct *kept = 0;
      for (int i = 0; i < (int)out; i++) { if (kept) value += kept->pid; kept = task; asm volatile("" : "+r"(kept)); }
      """, ""
    ),
    // Stored to, or exchanged with: the kernel's memory all the same.
    ("asm volatile(\"r1 = %0; *(u32 *)(r1 + 0) = r1\" : : \"r\"(task) : \"r1\", \"memory\");", ""),
  ])
  func pointersAreNotLost(_ body: String, _ functions: String) throws {
    let report = try Self.report(
      """
      \(functions)
      SEC("kprobe/x") int f(void *ctx) {
        __u64 value = 0; struct task_struct *task = current(); \(body) out = value; return 0;
      }
      """)
    #expect(report.unfollowed.isEmpty, "\(report.unfollowed)")
    #expect(report.kernelReads.contains { $0.means == .pointer } && report.readScope == .undeclared)
  }

  /// The control: numbers and the program's own memory take the same ways, and are none.
  @Test(arguments: [
    (
      "value = read(forward(ctx));",
      """
      static __attribute__((noinline)) __u32 *again(__u32 *t) { asm volatile(""); return t; }
      static __attribute__((noinline)) __u32 *forward(__u32 *t) { return again(t); }
      static __attribute__((noinline)) __u64 read(__u32 *t) { return *t; }
      """
    ),
    (
      "__u64 kept = 0; give(&kept); value = kept;",
      "static __attribute__((noinline)) int give(__u64 *to) { *to = out; return 0; }"
    ),
    (
      "__u64 kept = 1; loop(4, seen, &kept, 0); value = kept;",
      "static long seen(__u32 i, __u64 *box) { *box += i; return 0; }"
    ),
    (
      "each(&where, seen, &value, 0);",
      "static long seen(void *map, __u32 *key, __u64 *cell, __u64 *sum) { *sum += *cell + *key; return 0; }"
    ),
    ("__u32 zero = 0; __u64 *cell = lookup(&where, &zero); if (cell) __sync_fetch_and_add(cell, 1);", ""),
  ])
  func harmlessWaysStayHarmless(_ body: String, _ functions: String) throws {
    let report = try Self.report(
      "\(functions) SEC(\"xdp\") int f(void *ctx) { __u64 value = 0; \(body) out = value; return 2; }")
    #expect(report.unfollowed.isEmpty && report.kernelReads.isEmpty, "\(report.kernelReads)")
    #expect(report.readScope == .none, "\(report.undeclaredReads)")
  }

  /// Until the running kernel was asked, a call of its function looks like a call of the program's own.
  @Test func functionsOfTheKernelAreTold() throws {
    let report = try Self.report(
      """
      struct buff { int len; } __attribute__((preserve_access_index));
      extern struct buff *bpf_cast_to_kern_ctx(void *ctx) __attribute__((section(".ksyms"), weak));
      SEC("tc") int f(void *ctx) { out = bpf_cast_to_kern_ctx(ctx)->len; return 0; }
      """)
    #expect(report.kernelReads.contains { $0.means == .pointer && $0.subject == "buff.len" })
    #expect(report.undeclaredReads.contains { $0.reason == "calls a function of the kernel" })
    #expect(!report.isRestricted && report.readScope == .undeclared)
  }

  @Test func variablesOfTheKernelAreTold() throws {
    let report = try Self.report(
      """
      extern const int runqueues __attribute__((section(".ksyms")));
      SEC("tc") int f(void *ctx) { out = runqueues; return 0; }
      """)
    #expect(report.kernelReads.contains { $0.means == .pointer } && report.readScope == .undeclared)
  }

  /// What holds an address that a record went into is not named by the next record.
  @Test(arguments: [
    // Read back from the stack through a copy of its address.
    """
    struct task_struct *kept = (void *)&task->real_parent; struct task_struct **at = &kept;
    asm volatile("" : "+r"(at) : : "memory"); out = (*at)->pid;
    """,
    // Kept across the call of a helper that could have written over it, and copied from there.
    """
    struct task_struct *kept = (void *)&task->real_parent; __u32 zero = 0, pid;
    asm volatile("" : : "r"(&kept) : "memory"); lookup(&where, &zero);
    probe(&pid, sizeof pid, &kept->pid); out = pid;
    """,
    // The same with one record: what is there after the call is not known to be what was put there.
    """
    void *kept = &task->real_parent; __u32 zero = 0;
    asm volatile("" : : "r"(&kept) : "memory"); lookup(&where, &zero);
    probe((void *)&out, 8, kept);
    """,
    // By way of a map, where it is a number.
    """
    __u32 zero = 0, pid; __u64 *cell = lookup(&where, &zero); if (!cell) return 0;
    *cell = (__u64)&task->real_parent; asm volatile("" : : : "memory");
    probe(&pid, sizeof pid, &((struct task_struct *)*cell)->pid); out = pid;
    """,
    // Returned.
    "out = next(task)->pid;",
    // Handed to a callback.
    "loop(1, seen, (void *)&task->real_parent, 0);",
  ])
  func twoOffsetsHaveNoName(_ body: String) throws {
    let report = try Self.report(
      """
      static __attribute__((noinline)) struct task_struct *next(struct task_struct *t) {
        return (struct task_struct *)&t->real_parent;
      }
      static long seen(__u32 i, struct task_struct *t) { out = t->pid; return 1; }
      SEC("kprobe/x") int f(void *ctx) { struct task_struct *task = current(); \(body) return 0; }
      """, declares: "struct task_struct: pid, real_parent")
    #expect(report.readScope == .undeclared, "\(report.undeclaredReads)")
  }

  @Test(arguments: [
    "out = task->real_parent->pid;",
    // A number that was computed and stored says nothing of what is read out of the kernel.
    "__u32 zero = 0; __u64 *cell = lookup(&where, &zero); if (cell) *cell = out * 3; out = task->real_parent->pid;",
    "struct task_struct *volatile kept = task; out = kept->pid;",
    "void *volatile kept = &task->real_parent; probe((void *)&out, 8, kept);",
    "out = read(task);",
  ])
  func oneOffsetHasAName(_ body: String) throws {
    let report = try Self.report(
      """
      static __attribute__((noinline)) int read(struct task_struct *t) { return t->pid; }
      SEC("kprobe/x") int f(void *ctx) { struct task_struct *task = current(); \(body) return 0; }
      """, declares: "struct task_struct: pid, real_parent")
    #expect(report.readScope == .declared, "\(report.undeclaredReads)")
  }

  /// One of each kind that nobody knows yet, in a program that is harmless without it.
  @Test(arguments: [
    ("asm volatile(\".8byte 0x00000120000012db\");", "", "opcode 0xdb"),
    ("", "int g(int *p __attribute__((btf_decl_tag(\"arg:tomorrow\")))) { return *p; }", "declaration tag"),
    (
      "__u32 zero = 0; lookup(&notes, &zero);",
      """
      struct note { __u64 __attribute__((btf_type_tag("tomorrow"))) *field; };
      struct { int (*type)[2]; int (*max_entries)[1]; __u32 *key; struct note *value; } notes SEC(".maps");
      """, "type tag"
    ),
  ])
  func whatNobodyKnowsIsTheWorst(_ body: String, _ declarations: String, _ construct: String) throws {
    let report = try Self.report("\(declarations) SEC(\"xdp\") int f(void *ctx) { \(body) return 2; }")
    #expect(report.unfollowed.contains { $0.description.contains(construct) }, "\(report.unfollowed)")
    #expect(!report.isRestricted && report.readScope == .undeclared)
    #expect(report.restrictions.contains { $0.reason == .unknownConstruct } && report.strictestLockdown == .none)
  }

  /// Each program's report has all of the object's tags; of very many only the number is said, and the worst all the same.
  @Test func manyTagsAreFoundOnce() throws {
    let tags = (0..<40).map { "__attribute__((btf_decl_tag(\"strange-\($0)\"))) int v\($0) = 1;" }.joined(
      separator: "\n")
    let report = try Self.report("\(tags) SEC(\"xdp\") int f(void *ctx) { return 2; }")
    #expect(report.unfollowed.count == 9)
    #expect(report.unfollowed.last?.description == "32 more structures of functions and tags")
    #expect(report.unfollowed.allSatisfy { $0.description.contains("strange-") || $0.description.contains("more") })
    #expect(!report.isRestricted && report.readScope == .undeclared && report.strictestLockdown == .none)
  }

  @Test func aHelperThatNobodyKnowsIsTheWorst() throws {
    let report = try Self.report(
      "SEC(\"xdp\") int f(void *ctx) { static long (*h)(void) = (void *)4711; return h(); }")
    #expect(!report.isRestricted && report.readScope == .undeclared && report.strictestLockdown == .none)
  }

  /// More than is followed is not half followed.
  @Test(arguments: [
    // A jump into the next function, and one into the middle of a 64-bit load.
    ("asm volatile(\"if r1 == 0 goto +0x7000\");", "a way out of a function"),
    ("asm volatile(\"if r1 == 0 goto +1; .8byte 0x18; .8byte 0\" : : : \"r0\");", "a way out of a function"),
    ("asm volatile(\".rept 262144; r0 = 0; .endr\" : : : \"r0\");", "more ways through its instructions"),
  ])
  func whatCannotBeFollowedIsTheWorst(_ body: String, _ construct: String) throws {
    let report = try Self.report("SEC(\"xdp\") int f(void *ctx) { \(body) return 2; }")
    #expect(report.unfollowed.contains { $0.description.contains(construct) }, "\(report.unfollowed)")
    #expect(!report.isRestricted && report.readScope == .undeclared)
  }

  /// A map that is found in a map is read like the kernel's own; what is found in another is not taken for one.
  @Test func onlyMapsOfMapsHoldMaps() throws {
    let report = try Self.report(
      """
      struct inner { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; };
      struct { int (*type)[12]; int (*max_entries)[1]; __u32 *key; struct inner *values[]; } outer SEC(".maps");
      SEC("xdp") int f(void *ctx) {
        __u32 zero = 0; void *map = lookup(&outer, &zero); __u64 *cell = map ? lookup(map, &zero) : 0;
        __u64 *plain = lookup(&where, &zero);
        if (plain) out = *plain;
        return 2;
      }
      """)
    #expect(report.kernelReads.isEmpty, "\(report.kernelReads)")
  }
}
