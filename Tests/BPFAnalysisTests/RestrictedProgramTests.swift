import BPFAnalysis
import BPFObject
import BPFTestSupport
import Base
import KernelABI
import Testing

/// What keeps a program out of the restricted class that none of its instructions shows alone: bytes of the stack that are
/// left over from the kernel, and functions that run more often than the verifier follows them.
@Suite struct RestrictedProgramTests {
  private static let declarations = """
    struct { int (*type)[27]; int (*max_entries)[4096]; } ring SEC(".maps");
    struct { int (*type)[1]; int (*max_entries)[8]; __u64 *key; __u64 *value; } notes SEC(".maps");
    static void *(*lookup)(void *map, const void *key) = (void *)1;
    static long (*update)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
    static __u32 (*any)(void) = (void *)7;
    static long (*load_bytes)(void *skb, __u32 at, void *to, __u32 size) = (void *)26;
    static long (*send)(void *ring, const void *from, __u64 size, __u64 flags) = (void *)130;
    static long (*load_xdp)(void *xdp, __u32 at, void *to, __u32 size) = (void *)189;
    """

  private static func report(_ source: String) throws -> ProgramReport {
    let bytes = try TestObject.compile(
      source: "\(declarations)\n\(source)\nchar LICENSE[] SEC(\"license\") = \"GPL\";", flags: ["-mcpu=v3"])
    return try #require(try BPFObject.report(bytes: bytes.rawSpan).programs.first)
  }

  private static func isHeldAgainst(_ report: ProgramReport) -> Bool {
    report.classObjections.contains { $0.description.contains("without having written there") }
  }

  @Test(arguments: [
    // Read by an instruction: a whole slot, a byte beside one that was written, and on one of two ways.
    "asm volatile(\"r0 = *(u64 *)(r10 - 16)\" : : : \"r0\");",
    "asm volatile(\"r1 = 0; *(u8 *)(r10 - 16) = r1; r0 = *(u16 *)(r10 - 16)\" : : : \"r0\", \"r1\");",
    "asm volatile(\"if w0 == 0 goto +2; r1 = 0; *(u64 *)(r10 - 16) = r1; r0 = *(u64 *)(r10 - 16)\" : : \"r\"(any()) : \"r0\", \"r1\");",
    // In a loop, the first time round.
    "asm volatile(\"r2 = 0; r0 = *(u64 *)(r10 - 16); *(u64 *)(r10 - 16) = r2; r2 += 1; if r2 < 9 goto -4\" : : : \"r0\", \"r2\");",
    // Exchanged.
    "asm volatile(\"r1 = 0; .8byte 0x000000e1fff01adb\" : : : \"r1\", \"memory\");",
    // Through another register, at a place that only the running program knows.
    "asm volatile(\"r1 = r10; r2 = %0; r2 &= 8; r1 += r2; r0 = *(u64 *)(r1 - 24)\" : : \"r\"(any()) : \"r0\", \"r1\", \"r2\");",
    // Handed to helpers: in whole, in part, of a size that is not known, as a key and as a value.
    "char some[64]; asm volatile(\"\" : : \"r\"(some) : \"memory\"); send(&ring, some, 64, 0);",
    "char some[64]; *(volatile __u64 *)some = 0; asm volatile(\"\" : : \"r\"(some)); send(&ring, some, 64, 0);",
    """
    char some[64]; __u64 size = any() & 31; *(volatile __u64 *)some = 0;
    asm volatile("" : "+r"(size) : "r"(some)); if (size > 31) return 0; send(&ring, some, size + 1, 0);
    """,
    "__u64 key; asm volatile(\"\" : : \"r\"(&key) : \"memory\"); lookup(&notes, &key);",
    "__u64 key = 0, value; asm volatile(\"\" : : \"r\"(&value) : \"memory\"); update(&notes, &key, &value, 0);",
    // A helper that writes nothing where it fails.
    "char some[8]; load_xdp(ctx, 1 << 30, some, 8); send(&ring, some, 8, 0);",
    // In a function of its own, that has a stack of its own.
    "take();",
  ])
  func stackThatWasNotWritten(_ body: String) throws {
    let report = try Self.report(
      """
      static __attribute__((noinline)) int take(void) {
        int value; asm volatile("%0 = *(u32 *)(r10 - 4)" : "=r"(value)); return value;
      }
      SEC("xdp") int f(void *ctx) { \(body) return 2; }
      """)
    #expect(report.unfollowed.isEmpty && Self.isHeldAgainst(report), "\(report.classObjections)")
  }

  @Test(arguments: [
    "char some[64] = {}; asm volatile(\"\" : : \"r\"(some) : \"memory\"); send(&ring, some, 64, 0);",
    "__u64 key = 0, value = 1; update(&notes, &key, &value, 0); if (lookup(&notes, &key)) return 1;",
    "asm volatile(\"r1 = 0; if r1 == 0 goto +2; *(u64 *)(r10 - 16) = r1; goto +1; *(u64 *)(r10 - 16) = r1;"
      + " r0 = *(u64 *)(r10 - 16)\" : : : \"r0\", \"r1\");",
    "char some[8] = {}; load_xdp(ctx, 0, some, 8); send(&ring, some, 8, 0);",
    "__u64 key = any(); asm volatile(\"\" : : \"r\"(&key) : \"memory\"); __u64 *found = lookup(&notes, &key); if (found) *found += 1;",
    "char some[64] = {}; __u64 size = any() & 31; asm volatile(\"\" : \"+r\"(size) : \"r\"(some)); if (size > 31) return 0; send(&ring, some, size + 1, 0);",
  ])
  func stackThatWasWritten(_ body: String) throws {
    let report = try Self.report("SEC(\"xdp\") int f(void *ctx) { \(body) return 2; }")
    #expect(report.isRestricted, "\(report.classObjections)")
  }

  /// What a helper fills is written, also where it fails.
  @Test func stackThatAHelperWrites() throws {
    let report = try Self.report(
      """
      SEC("tc") int f(void *ctx) {
        char some[64]; load_bytes(ctx, 0, some, 64); send(&ring, some, 64, 0); return 0;
      }
      """)
    #expect(report.isRestricted, "\(report.classObjections)")
  }

  /// A global function is followed once, and takes as long each time that it is called.
  @Test(arguments: [
    ("return deep(1);", false), ("int x = 0; for (int i = 0; i < (int)any(); i++) x += flat(i); return x;", false),
    ("return flat(1) + flat(2);", true), ("return nested(1) + nested(2);", false),
    // One that the verifier follows at each call, and a global one that is called in the same way.
    ("return inner(1);", true),
    ("int x = 0; for (int i = 0; i < (int)(any() & 7); i++) x += inner(i); return x;", true),
  ])
  func functionsThatRunMoreOftenThanTheyAreFollowed(_ body: String, _ isRestricted: Bool) throws {
    let calls = (0..<9).map { "flat(x + \($0))" }.joined(separator: " + ")
    let report = try Self.report(
      """
      #define KEEP(x) asm volatile("" : "+r"(x))
      __attribute__((noinline)) int flat(int x) { KEEP(x); return x; }
      __attribute__((noinline)) int deep(int x) { for (int i = 0; i < 3000; i++) { x += flat(x); KEEP(x); } return x; }
      __attribute__((noinline)) int nested(int x) { KEEP(x); return \(calls); }
      static __attribute__((noinline)) int inner(int x) { KEEP(x); return x; }
      SEC("xdp") int f(void *ctx) { \(body) }
      """)
    #expect(report.isRestricted == isRestricted, "\(report.classObjections)")
    let repeats = report.classObjections.contains { $0.description.contains("verified once") }
    #expect(repeats != isRestricted)
  }

  /// Each map takes memory beside its entries.
  @Test(arguments: [(256, true), (257, false)])
  func mapsAreCounted(_ count: Int, _ isRestricted: Bool) throws {
    // The two above are among them.
    let maps = (2..<count).map {
      "struct { int (*type)[2]; int *key; long *value; int (*max_entries)[1]; } m\($0) SEC(\".maps\");"
    }
    let report = try Self.report("\(maps.joined()) SEC(\"xdp\") int f(void *ctx) { return 2; }")
    #expect(report.isRestricted == isRestricted, "\(report.classObjections)")
  }
}
