import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Linux
import Testing

/// Which CO-RE records the kernel does not follow, and what the answer to them is.
@Suite struct CoreLimitTests {
  private static let head = """
    #define matches(type) __builtin_preserve_type_info(*(type *)0, 2)
    #define exists(type) __builtin_preserve_type_info(*(type *)0, 0)
    #define size(type) __builtin_preserve_type_info(*(type *)0, 1)
    volatile int out;
    """

  private static func object(_ types: String, _ asked: String) throws -> LinkedObject {
    let program = "SEC(\"raw_tp/sys_enter\") int f(void *ctx) { out = \(asked); return 0; }"
    let bytes = try TestObject.compile(
      source: "\(head)\n\(types)\n\(program)\nchar LICENSE[] SEC(\"license\") = \"GPL\";")
    return try BPFObject.link(bytes: bytes.rawSpan)
  }

  struct Case: CustomTestStringConvertible {
    let title: String
    let types: String
    let asked: String
    /// Whether the kernel refuses it.
    let isBeyond: Bool
    /// What libbpf answers on any kernel with these types.
    let answer: Bool?

    var testDescription: String { title }
  }

  static let cases = [
    Case(
      title: "a structure in a structure",
      types: """
        struct list_head { struct list_head *next, *prev; };
        struct task_struct___a { struct list_head tasks; } CORE;
        """, asked: "matches(struct task_struct___a)", isBeyond: true, answer: true),
    Case(
      title: "an integer of another name",
      types: "struct rw_semaphore___g { struct { __s64 counter; } owner; } CORE;",
      asked: "matches(struct rw_semaphore___g)", isBeyond: true, answer: false),
    Case(
      title: "a structure behind a pointer",
      types: "struct mm_struct; struct task_struct___b { struct mm_struct *mm; int pid; } CORE;",
      asked: "matches(struct task_struct___b)", isBeyond: false, answer: nil),
    Case(
      title: "a tracepoint's prototype",
      types: """
        struct pt_regs; typedef void (*btf_trace_sys_enter___c)(void *, struct pt_regs *, long);
        """, asked: "matches(btf_trace_sys_enter___c)", isBeyond: false, answer: nil),
    Case(
      title: "a prototype with a function among its parameters",
      types: "typedef int (*bpf_callback_t___d)(int (*)(int), int);", asked: "exists(bpf_callback_t___d)",
      isBeyond: true, answer: nil),
    Case(
      title: "an array of structures",
      types: "struct rw_semaphore___e { struct { __s64 counter; } owner[2]; } CORE;",
      asked: "matches(struct rw_semaphore___e)", isBeyond: true, answer: false),
    Case(
      title: "a plain structure", types: "struct task_struct___f { int pid; } CORE;",
      asked: "exists(struct task_struct___f)", isBeyond: false, answer: nil),
  ]

  @Test(arguments: cases)
  func whatIsBeyondTheKernelIsForetold(_ test: Case) throws {
    var object = try Self.object(test.types, test.asked)
    let report = try #require(BPFObject.reports(of: object).first)
    #expect(report.coreRelocations.map { $0.limit != nil } == [test.isBeyond])
    #expect(report.coreLimitNotes.count == (test.isBeyond ? 1 : 0))
    object.answerRecords()
    #expect(object.programs[0].answered.count == (test.isBeyond ? 1 : 0))
    #expect(object.kernelEdits.filter { $0.value == .coreAnswer }.count == (test.isBeyond ? 1 : 0))
    guard KernelOracle.isAvailable else { return print("skipped: no kernel to ask about \(test.title)") }
    // What is not beyond it the kernel takes.
    if !test.isBeyond { _ = try KernelOracle(object).load(object.programs[0]) }
    guard let answer = test.answer else { return }
    let types = try TestObject.read("/sys/kernel/btf/vmlinux")
    let answers = CoreAnswers(object: try BTF(object.btf.rawSpan), kernel: try BTF(types.rawSpan))
    #expect(try answers.answer(object.programs[0].answered[0]) == answer)
    let settled = try object.answering { record throws(BPFObjectError) in try answers.answer(record) }
    #expect(settled.programs[0].coreRelocations.isEmpty && settled.programs[0].edits.count >= 1)
    _ = try KernelOracle(settled).load(settled.programs[0])
  }

  /// What asks for more than existence stays with the kernel, and its refusal.
  @Test func sizesAreNotAnswered() throws {
    var object = try Self.object("typedef int (*bpf_callback_t___s)(int (*)(int), int);", "size(bpf_callback_t___s)")
    #expect(BPFObject.reports(of: object)[0].coreRelocations.map { $0.limit } == [.depth])
    object.answerRecords()
    #expect(object.programs[0].answered.isEmpty)
  }

  /// Types that are built of each other are compared once, not once for each way through them.
  @Test func nestedTypesTakeNoTime() throws {
    var source = "struct s0 { int a; };\n"
    for level in 1...24 { source += "struct s\(level) { struct s\(level - 1) a, b; } CORE;\n" }
    let object = try Self.object(source, "matches(struct s24)")
    let types = try BTF(object.btf.rawSpan)
    var answered = object
    answered.answerRecords()
    let start = ContinuousClock.now
    let record = try #require(answered.programs[0].answered.first)
    #expect(try CoreAnswers(object: types, kernel: types).answer(record) == true)
    #expect(ContinuousClock.now - start < .seconds(1))
  }
}
