import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Linux
import Testing

/// What is said of relocations before the kernel is asked, against what the kernel then does.
@Suite(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
struct CoreMatchTests {
  private static let source = """
    #define field_exists(f) __builtin_preserve_field_info(f, 2)
    struct mm_struct { __u64 total_vm; } CORE;
    struct list_head { struct list_head *next; } CORE;
    struct task_struct {
      int pid; struct mm_struct *mm; char comm[16]; struct list_head tasks; __u64 no_such_field;
      struct { int nowhere; };
    } CORE;
    struct task_struct___other { struct mm_struct *pid; } CORE;
    struct task_struct___long { char comm[4000]; } CORE;
    struct no_such_struct { int x; } CORE;
    struct sk_buff { __u32 len; union { __u32 mark; }; } CORE;
    enum bpf_map_type___k { BPF_MAP_TYPE_ARRAY___k = 1, BPF_MAP_TYPE_NONSENSE___k = 2 };
    volatile const __u32 never = 0;
    __u64 sink;
    #define use(x) sink += (__u64)(x)
    SEC("tp_btf/sys_enter") int f(__u64 *ctx) {
      struct task_struct *t = bpf_get_current_task_btf();
      use(t->pid); use(t->mm->total_vm); use(&t->comm[3]); use(t->tasks.next);
      if (field_exists(t->no_such_field)) use(t->no_such_field);
      if (never) {
        use(t->no_such_field); use(t->nowhere); use(((struct task_struct___other *)t)->pid);
        use(((struct no_such_struct *)t)->x); use(&((struct task_struct___long *)t)->comm[300]);
        use(((struct sk_buff *)t)->len); use(((struct sk_buff *)t)->mark);
      }
      use(__builtin_preserve_type_info(*(struct no_such_struct *)0, 0));
      use(__builtin_preserve_type_info(*(struct sk_buff *)0, 1));
      use(__builtin_preserve_enum_value(*(enum bpf_map_type___k *)BPF_MAP_TYPE_ARRAY___k, 1));
      use(__builtin_preserve_enum_value(*(enum bpf_map_type___k *)BPF_MAP_TYPE_NONSENSE___k, 0));
      if (never) use(__builtin_preserve_enum_value(*(enum bpf_map_type___k *)BPF_MAP_TYPE_NONSENSE___k, 1));
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  @Test func theKernelPoisonsWhatWasForetold() throws {
    let bytes = try TestObject.compile(source: Self.source)
    let object = try BPFObject.link(bytes: bytes.rawSpan)
    let kernelBytes = try TestObject.read("/sys/kernel/btf/vmlinux")
    let kernel = try BTF(kernelBytes.rawSpan)
    let report = try #require(BPFObject.reports(of: object, kernel: kernel).first)
    var foretold = Set(report.coreRelocations.filter(\.isPoisoned).map(\.instruction))
    // Of a 64-bit load, the kernel poisons both halves.
    for index in foretold where object.programs[0].instructions[index * 8] == 0x18 { foretold.insert(index + 1) }

    let target = try #require(object.programs[0].kind.attachTarget)
    let id = try #require(kernel.typeID(named: target.name, kind: .typedef))
    let oracle = try KernelOracle(object)
    let log = try oracle.log(of: object.programs[0], attachBTFID: id)
    // `prog '?': relo #5: substituting insn #12 w/ invalid insn`
    var poisoned: Set<Int> = []
    for line in log.split(separator: "\n") where line.contains("w/ invalid insn") {
      guard let hash = line.lastIndex(of: "#") else { continue }
      let number = line[line.index(after: hash)...].prefix { $0.isNumber }
      poisoned.insert(try #require(Int(number)))
    }
    #expect(poisoned.count >= 6, "\(log.suffix(3000))")
    #expect(foretold == poisoned)
    #expect(report.coreRelocations.contains { $0.existsInKernel == false && !$0.isPoisoned })
    // Without a kernel, nothing is said.
    #expect(BPFObject.reports(of: object).first?.coreRelocations.allSatisfy { $0.existsInKernel == nil } == true)
  }

  struct Near: Sendable {
    let expression: String
    let expected: String
    var fields: String { expected.hasPrefix("task_struct.mm: INT") ? "long mm;" : "struct mm_struct *mm; void *pid;" }
  }

  /// What is not there, and what the running kernel has that comes near.
  @Test(arguments: [
    Near(expression: "t->__pid", expected: "task_struct.pid"),
    Near(expression: "t->mm->total_vn", expected: "mm_struct.total_vm"),
    Near(expression: "((struct sk_buf *)t)->len", expected: "sk_buff"),
    // There, and of a kind that CO-RE does not take for the object's.
    Near(expression: "t->mm", expected: "task_struct.mm: INT, not PTR"),
    Near(expression: "t->pid", expected: "task_struct.pid: PTR, not INT"),
    Near(
      expression: "__builtin_preserve_enum_value(*(enum bpf_map_type___n *)BPF_MAP_TYPE_ARRAYS___n, 1)",
      expected: "BPF_MAP_TYPE_ARRAY"),
  ])
  func namesWhatComesNear(near: Near) throws {
    let source = """
      struct mm_struct { __u64 total_vn; } CORE;
      struct task_struct { int __pid; \(near.fields) } CORE;
      struct sk_buf { __u32 len; } CORE;
      enum bpf_map_type___n { BPF_MAP_TYPE_ARRAYS___n = 2 };
      __u64 sink;
      SEC("tp_btf/sys_enter") int f(__u64 *ctx) {
        struct task_struct *t = bpf_get_current_task_btf();
        sink = (__u64)(\(near.expression));
        return 0;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    let bytes = try TestObject.compile(source: source)
    let linked = try BPFObject.link(bytes: bytes.rawSpan)
    let btf = try BTF(linked.btf.rawSpan)
    let kernelBytes = try TestObject.read("/sys/kernel/btf/vmlinux")
    let kernel = try BTF(kernelBytes.rawSpan)
    let relocations = linked.programs[0].coreRelocations
    let records = relocations.rawSpan
    var found: [String] = []
    for record in stride(from: 0, to: records.byteCount, by: 16) {
      let miss = btf.nearMiss(
        ofRelocation: try #require(CoreRelocationKind(rawValue: records.u32(at: record + 12))),
        typeID: try records.u32(at: record + 4),
        access: try btf.string(at: records.u32(at: record + 8)), in: kernel)
      switch miss {
      case .names(let names): found += names
      case .otherKind(let field, let wanted, let there): found.append("\(field): \(wanted.name), not \(there.name)")
      }
    }
    #expect(found.contains(near.expected), "\(found)")
  }
}
