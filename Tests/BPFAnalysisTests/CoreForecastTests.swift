import BPFObject
import BPFTestSupport
import Base
import Linux
import Testing

@testable import BPFAnalysis

/// What a kernel makes of instructions by CO-RE records, told from two sets of types that are both known here.
struct CoreForecastTests {
  /// An object whose `task` has its fields elsewhere than the kernel of the test.
  private static let object = """
    #define CORE __attribute__((preserve_access_index))
    struct inner { int skipped; long wanted; } CORE;
    struct task { int first; struct inner in; char bits : 3; unsigned short narrow; int list[4]; } CORE;
    enum kind { ZERO, SEVEN = 7 };
    struct absent { int there; } CORE;
    #define exists(field) __builtin_preserve_field_info(field, 2)
    __attribute__((section("socket"))) long reads(struct task *task) {
      return task->in.wanted + task->list[2];
    }
    __attribute__((section("socket"))) long asks(struct task *task) {
      return exists(task->in.wanted) + 2 * exists(((struct task *)0)->narrow);
    }
    char LICENSE[] __attribute__((section("license"))) = "GPL";
    """

  private static func instruction(_ code: [UInt8], where isMeant: (Instruction) -> Bool) -> [Instruction] {
    (0..<code.count / 8).compactMap { Instruction(at: $0, in: code.rawSpan) }.filter(isMeant)
  }

  private static func link(_ source: String) throws -> LinkedObject {
    let bytes = try TestObject.compile(source: source)
    return try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
  }

  private static func types(of object: LinkedObject) throws -> BTF {
    let bytes = object.btf
    return try BTF(bytes.rawSpan)
  }

  private func forecast(kernel source: String) throws -> [String: [UInt8]?] {
    let linked = try Self.link(Self.object)
    let kernel = try Self.link(source)
    let forecast = CoreForecast(object: try Self.types(of: linked), kernel: try Self.types(of: kernel))
    return Dictionary(
      linked.programs.map { ($0.name, forecast.instructions(of: $0)) }, uniquingKeysWith: { first, _ in first })
  }

  private static func kernel(_ task: String) -> String {
    """
    struct inner { char more[24]; long wanted; };
    struct task { \(task) };
    __attribute__((section("socket"))) int keep(struct task *task) { return sizeof(*task) + task->in.wanted; }
    char LICENSE[] __attribute__((section("license"))) = "GPL";
    """
  }

  @Test func fieldsAreWhereTheKernelHasThem() throws {
    let code = try forecast(
      kernel: Self.kernel(
        "char before[40]; struct { struct inner in; }; int list[8]; int first; unsigned short narrow;"))
    let reads = try #require(code["reads"] ?? nil)
    let offsets = Self.instruction(reads) { [0x79, 0x61].contains($0.opcode) }.map(\.offset)
    // `wanted` behind 40 and 24 bytes, `list[2]` behind 40, 32 and 8.
    #expect(offsets.contains(64) && offsets.contains(80), "\(offsets)")
  }

  @Test func aFieldThatIsNotThereIsPoison() throws {
    let code = try forecast(kernel: Self.kernel("int first; struct inner in;"))
    let reads = try #require(code["reads"] ?? nil)
    #expect(Self.instruction(reads) { $0.opcode == Instruction.call && $0.immediate == 195_896_080 }.count == 1)
    let asks = try #require(code["asks"] ?? nil)
    #expect(Self.instruction(asks) { $0.opcode == 0xb7 || $0.opcode == 0x07 }.contains { $0.immediate == 0 })
  }

  @Test func aTypeThatTheKernelHasNotMayBeAModules() throws {
    let none = """
      struct other { int first; };
      __attribute__((section("socket"))) int keep(struct other *other) { return other->first; }
      char LICENSE[] __attribute__((section("license"))) = "GPL";
      """
    let code = try forecast(kernel: none)
    #expect(code["reads"] == .some(nil) && code["asks"] == .some(nil))
  }

  /// Records of every kind, about the running kernel.
  private static let many = """
    #define info(field, kind) __builtin_preserve_field_info(field, kind)
    static struct task_struct *(*const current)(void) = (void *)158;
    struct mm_struct { long total_vm; } CORE;
    struct task_struct___other { int no_such_field; } CORE;
    struct task_struct {
      int pid; unsigned sched_reset_on_fork : 1; struct mm_struct *mm; char comm[16];
    } CORE;
    enum bpf_map_type___kernel { BPF_MAP_TYPE_ARRAY___kernel = 1, BPF_MAP_TYPE_NOT_THERE___kernel = 99 };
    SEC("raw_tp/sys_exit") int fields(void *context) {
      struct task_struct *task = current();
      return info(task->sched_reset_on_fork, 0) + info(task->sched_reset_on_fork, 1)
        + (info(task->sched_reset_on_fork, 4) << 1) + (info(task->sched_reset_on_fork, 5) << 2)
        + info(task->pid, 3) + info(task->comm, 1) + info(task->comm[3], 0) + info(task->mm, 2)
        + info(((struct task_struct___other *)task)->no_such_field, 2);
    }
    SEC("raw_tp/sys_exit") int loads(void *context) {
      struct task_struct *task = current();
      return task->pid + task->comm[5];
    }
    SEC("raw_tp/sys_exit") int types(void *context) {
      return __builtin_preserve_type_info(*(struct task_struct *)0, 0)
        + __builtin_preserve_type_info(*(struct task_struct *)0, 1)
        + __builtin_preserve_enum_value(*(enum bpf_map_type___kernel *)BPF_MAP_TYPE_ARRAY___kernel, 1)
        + __builtin_preserve_enum_value(*(enum bpf_map_type___kernel *)BPF_MAP_TYPE_NOT_THERE___kernel, 0);
    }
    SEC("raw_tp/sys_exit") int poisoned(void *context) {
      struct task_struct___other *task = (void *)current();
      if (info(task->no_such_field, 2)) return task->no_such_field;
      return 1;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  private static func runningKernel() throws -> BTF {
    let kernel = try KernelBTF.open()
    return try BTF(kernel.bytes)
  }

  @Test func theKernelHasWhatIsForecast() throws {
    guard KernelOracle.isAvailable, let kernel = try? Self.runningKernel() else {
      return print("skipped: loading programs needs root, and a kernel with types")
    }
    let isLong = CoreForecast.hashesBySHA256(kernel)
    var compared: [String] = []
    for object in [
      try Self.link(Self.many), try TestObject.link("core"),
    ] {
      let forecast = CoreForecast(object: try Self.types(of: object), kernel: kernel)
      let oracle = try KernelOracle(object)
      for program in object.programs where program.kind.attachTarget == nil {
        let code = try #require(forecast.instructions(of: program), "\(program.name)")
        let loaded = try oracle.load(program)
        let tag = try BPF.programInfo(loaded).tag
        let expected = isLong ? try Digest.of(code.rawSpan).bytes : try #require(SHA1.digest(of: code))
        #expect(tag == Array(expected.prefix(8)), "\(program.name)")
        compared.append(program.name)
      }
    }
    #expect(compared == ["fields", "loads", "types", "poisoned", "left"])
  }

  /// FIPS 180-4's example, and no bytes.
  @Test func shaOneIsThatOfOthers() {
    #expect(SHA1.digest(of: Array("abc".utf8)).map { Hex.encode($0) } == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(SHA1.digest(of: []).map { Hex.encode($0) } == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
  }
}
