import BPFTestSupport
import BPFObject
import Base
import Linux
import TestSupport
import Testing

/// Objects as other compilers, options and linkers make them.
@Suite struct CompilerTests {
  /// Instruction sets from the first to the one with long jumps and sign-extending loads.
  @Test(arguments: ["v1", "v2", "v3", "v4"], ["data", "callbacks", "core"])
  func everyInstructionSet(_ set: String, _ name: String) throws {
    let bytes = try TestObject.bytes(name, flags: ["-mcpu=\(set)"])
    try SkeletonOracleTests.compare(bytes, name: name)
    guard KernelOracle.isAvailable else { return }
    let object = try BPFObject.link(bytes: bytes.rawSpan, objectName: name)
    let oracle = try KernelOracle(object)
    for program in object.programs where program.kind.attachTarget == nil { _ = try oracle.load(program) }
  }

  @Test(arguments: ["-O1", "-Os", "-O3"])
  func everyOptimisation(_ level: String) throws {
    for name in ["data", "callbacks", "maps"] {
      try SkeletonOracleTests.compare(try TestObject.bytes(name, flags: [level]), name: name)
    }
  }

  /// Without source lines, as `-gline-tables-only` or a strict image builder leaves an object: func_info stays.
  @Test func strippedByLLVM() throws {
    let object = try TestObject.bytes("callbacks")
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    try TestObject.write(object, to: "\(directory)/object.o")
    let result = try Subprocess.run([
      "llvm-objcopy", "--strip-debug", "\(directory)/object.o", "\(directory)/stripped.o",
    ])
    try #require(result.status == 0, "\(result.text)")
    let stripped = try TestObject.read("\(directory)/stripped.o")
    let linked = try BPFObject.link(bytes: stripped.rawSpan)
    #expect(try linked == BPFObject.link(bytes: object.rawSpan))
    // Two programs that strip, one result as far as linking goes.
    let ours = try BPFObject.strip(object.rawSpan)
    #expect(try linked == BPFObject.link(bytes: ours.rawSpan))
  }

  /// Several objects linked into one by bpftool: sections are joined, symbols and types merged.
  @Test func staticallyLinked() throws {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    let shared = """
      struct { __uint(type, 1); __uint(max_entries, 8); __type(key, __u32); __type(value, __u64); } table SEC(".maps");
      __u64 seen = 1; static volatile __u64 own = 2;
      __noinline __u64 count(__u64 by) { own += by; return seen += own; }
      SEC("xdp") int one(struct xdp_md *ctx) { __u32 k = 1; return bpf_map_lookup_elem(&table, &k) ? count(1) & 1 : 2; }
      """
    let user = """
      extern struct { __uint(type, 1); __uint(max_entries, 8); __type(key, __u32); __type(value, __u64); } table
        SEC(".maps");
      extern __u64 seen; static volatile __u64 own = 5; extern __u64 count(__u64 by);
      static __noinline __u64 local(__u64 x) { own += x; return own; }
      SEC("xdp") int two(struct xdp_md *ctx) {
        __u32 k = 2; bpf_map_delete_elem(&table, &k); seen++; return (count(3) + local(4)) & 1;
      }
      SEC("tc") int three(struct __sk_buff *skb) { return count(skb->len) + local(1) > 9; }
      char LICENSE[] SEC("license") = "GPL";
      """
    try TestObject.write(try TestObject.compile(source: shared), to: "\(directory)/shared.o")
    try TestObject.write(try TestObject.compile(source: user), to: "\(directory)/user.o")
    let result = try Subprocess.run(
      ["bpftool", "gen", "object", "\(directory)/all.o", "\(directory)/user.o", "\(directory)/shared.o"])
    try #require(result.status == 0, "\(result.text)")
    let bytes = try TestObject.read("\(directory)/all.o")
    let object = try BPFObject.link(bytes: bytes.rawSpan, objectName: "all.o")
    #expect(object.programs.map(\.name).sorted() == ["one", "three", "two"])
    #expect(object.maps.map(\.name).contains("table"))
    try SkeletonOracleTests.compare(bytes, name: "all")
    guard KernelOracle.isAvailable else { return }
    let oracle = try KernelOracle(object)
    for program in object.programs { _ = try oracle.load(program) }
  }
}
