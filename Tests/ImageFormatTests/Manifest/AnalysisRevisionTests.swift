import BPFTestSupport
import Base
import ImageFormat
import Linux
import Testing

/// What manifests say of the same bytes changes only with the revision of the analysis: otherwise a load takes an honest
/// image of an older builder for one that lies.
@Suite struct AnalysisRevisionTests {
  /// Programs that the fixtures do not have: each is one that some revision judged otherwise.
  private static let sources = [
    (
      "map-address",
      """
      struct { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; } notes SEC(".maps");
      SEC("xdp") int f(void *ctx) {
        __u64 value; asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(value) : "r"(&notes)); return value;
      }
      """
    ),
    (
      "shared-map",
      """
      struct { int (*type)[2]; int (*max_entries)[1]; int (*pinning)[1]; __u32 *key; __u64 *value; } notes SEC(".maps");
      static void *(*lookup)(void *map, const void *key) = (void *)1;
      SEC("xdp") int f(void *ctx) { __u32 zero = 0; return !!lookup(&notes, &zero); }
      """
    ),
    (
      "argument-tag",
      """
      __u64 where;
      __attribute__((noinline)) __u64 fetch(const __u64 *at __attribute__((btf_decl_tag("arg:untrusted")))) { return *at; }
      SEC("xdp") int f(void *ctx) { return fetch((const __u64 *)where); }
      """
    ),
    ("unknown-instruction", "SEC(\"xdp\") int f(void *ctx) { asm volatile(\".8byte 0xf5\"); return 2; }"),
    (
      "shift-by-all-bits",
      """
      static long (*const copy)(void *, __u32, const void *) = (void *)113;
      SEC("raw_tp/sys_enter") int f(void *ctx) {
        long value = 0;
        asm volatile goto("r1 = 1; r2 = 64; r1 <<= r2; if r1 == 1 goto %l0" : : : "r1", "r2" : over);
        copy(&value, 8, ctx);
      over:
        return 0;
      }
      """
    ),
    (
      "unwritten-stack",
      "SEC(\"xdp\") int f(void *ctx) { int value; asm volatile(\"%0 = *(u32 *)(r10 - 8)\" : \"=r\"(value)); return value; }"
    ),
    (
      "distance-of-pointers",
      """
      struct { int (*type)[14]; int (*max_entries)[1]; __u32 *key; __u32 *value; } ports SEC(".maps");
      struct frame { __u32 data, data_end; };
      SEC("xdp") int f(struct frame *frame) { return (void *)(long)frame->data_end - (void *)(long)frame->data > 9; }
      SEC("socket") int g(void *ctx) { return !!&ports; }
      """
    ),
    (
      "global-function-in-a-loop",
      """
      __attribute__((noinline)) int again(int x) { asm volatile("" : "+r"(x)); return x; }
      SEC("xdp") int f(void *ctx) { int x = 0; for (int i = 0; i < 1000; i++) x += again(x); return x; }
      """
    ),
    ("socket-name", "SEC(\"cgroup/getpeername4\") int f(void *ctx) { return 1; }"),
  ]

  @Test func conclusionsChangeWithTheRevisionOnly() throws {
    var text = ""
    for name in TestObject.names { text += try Self.description(TestObject.bytes(name), name) }
    for (name, source) in Self.sources {
      let bytes = try TestObject.compile(source: source + "\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
      text += try Self.description(bytes, name)
    }
    let path = "\(TestObject.root)/Tests/Fixtures/analysis/revision-\(Manifest.Analysis.currentRevision).txt"
    if Environment.value("VERITY_BPF_REWRITE") == "yes" { try TestObject.write(Array(text.utf8), to: path) }
    let expected = String(decoding: try TestObject.read(path), as: UTF8.self)
    #expect(
      text == expected,
      "the analysis finds something else in the same bytes: raise Manifest.Analysis.currentRevision, and write the fixture"
    )
  }

  /// Everything of an object's entry but what depends on the compiler: its digest and size.
  private static func description(_ bytes: [UInt8], _ name: String) throws -> String {
    let digest = try #require(Digest(.sha256, bytes: [UInt8](repeating: 0, count: 32)))
    var object = try ObjectDescription.describe(bytes, file: Manifest.File(path: name, digest: digest, size: 0))
    // The instructions are the compiler's, and no conclusion.
    for index in object.programs.indices { object.programs[index].instructions = nil }
    return String(decoding: object.entry, as: UTF8.self) + "\n"
  }
}
