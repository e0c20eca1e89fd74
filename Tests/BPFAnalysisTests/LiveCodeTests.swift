import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Testing

/// Code that a constant of the object rules out, and what is asked of the verifier: what it never comes to is not refused.
@Suite struct LiveCodeTests {
  /// Calls a helper behind a condition. The helper is bpf_probe_read_kernel for the analysis; for the kernel it is one
  /// that no kernel has, so that it is refused if and only if the verifier comes to the call.
  private static func object(_ declarations: String, _ body: String, helper: Int) throws -> LinkedObject {
    let bytes = try TestObject.compile(
      source: """
        static long (*const forbidden)(void *, __u32, const void *) = (void *)\(helper);
        static __u64 (*const now)(void) = (void *)5;
        #define FORBIDDEN() ({ long v; forbidden(&v, 8, (void *)8); })
        \(declarations)
        SEC("raw_tp/sys_enter") int f(void *ctx) { \(body) return 0; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    return try BPFObject.link(bytes: bytes.rawSpan)
  }

  /// Instructions that lead over the call, by a jump at their end.
  private static func skipping(_ code: String) -> String {
    "asm volatile goto(\"\(code) goto %l0\" : : : \"r1\", \"r2\" : over); FORBIDDEN(); over:;"
  }

  @Test(arguments: [
    // What is read-only data decides, in every width, directly and after arithmetic.
    ("const volatile unsigned char on = 0;", "if (on) FORBIDDEN();", true),
    ("const volatile unsigned char on = 1;", "if (on) FORBIDDEN();", false),
    ("const volatile long at = 0;", "if (at) FORBIDDEN();", true),
    ("const volatile int limit = -1;", "if (limit >= 0) FORBIDDEN();", true),
    ("const volatile int limit = -1;", "if (limit < 0) FORBIDDEN();", false),
    ("const volatile unsigned short flags = 6;", "if (flags & 1) FORBIDDEN();", true),
    ("const volatile unsigned short flags = 6;", "if (flags & 2) FORBIDDEN();", false),
    ("const volatile unsigned short flags = 6;", "if (((flags >> 1) ^ 4) == 8) FORBIDDEN();", true),
    ("const volatile int table[4] = { 0, 0, 7, 0 };", "if (table[1]) FORBIDDEN();", true),
    ("const volatile int table[4] = { 0, 0, 7, 0 };", "if (table[2]) FORBIDDEN();", false),
    // What can be written decides nothing, nor what is not known before the program runs.
    ("volatile int on = 0;", "if (on) FORBIDDEN();", false),
    ("const volatile int on = 0;", "if (on || now() & 1) FORBIDDEN();", false),
    // Two ways with different values lead to one place.
    ("const volatile int a = 0, b = 1;", "int x = now() & 1 ? a : b; if (x) FORBIDDEN();", false),
    // Dead behind dead.
    ("const volatile int a = 0, b = 1;", "if (a) { if (b) FORBIDDEN(); }", true),
    // The verifier forgets what is shifted by as many bits as there are.
    ("", skipping("r1 = 1; r2 = 63; r1 <<= r2; r1 >>= r2; if r1 == 1"), true),
    ("", skipping("r1 = 1; r2 = 64; r1 <<= r2; if r1 == 1"), false),
    ("", skipping("r1 = 1; r2 = -1; r1 >>= r2; if r1 == 0"), false),
    ("", skipping("w1 = 1; w2 = 31; w1 <<= w2; w1 >>= w2; if w1 == 1"), true),
    ("", skipping("w1 = 1; w2 = 32; w1 <<= w2; if w1 == 1"), false),
    ("", skipping("w1 = 1; w2 = 33; w1 >>= w2; if w1 == 0"), false),
    // Kernels before 6.8 verify global functions that are never reached.
    (
      "const volatile int on = 0; __attribute__((noinline)) int sub(void) { FORBIDDEN(); return now(); }",
      "if (on) return sub();", false
    ),
  ])
  func deadCodeIsWhatTheVerifierNeverVisits(_ declarations: String, _ body: String, _ isDead: Bool) throws {
    let report = try #require(BPFObject.reports(of: Self.object(declarations, body, helper: 113)).first)
    #expect((report.strictestLockdown == .confidentiality) == isDead)
    // It is told all the same.
    #expect(report.helpers.contains { $0.id == 113 })
    guard KernelOracle.isAvailable else { return print("skipped: this process cannot load programs") }
    let object = try Self.object(declarations, body, helper: 4711)
    let oracle = try KernelOracle(object)
    if isDead {
      _ = try oracle.load(object.programs[0])
    } else if !declarations.contains("noinline") {
      #expect(throws: KernelOracle.Refusal.self) { try oracle.tryLoad(object.programs[0]) }
    }
  }

  /// What the kernel fills in when it loads the program is no constant, whatever the object says.
  @Test func relocationsAreNotConstants() throws {
    let source = """
      struct task_struct { int nothing_of_the_kind; } __attribute__((preserve_access_index));
      """
    let body = """
      if (__builtin_preserve_field_info(((struct task_struct *)0)->nothing_of_the_kind, 2)) FORBIDDEN();
      """
    let report = try #require(BPFObject.reports(of: Self.object(source, body, helper: 113)).first)
    #expect(report.strictestLockdown == .integrity)
  }
}
