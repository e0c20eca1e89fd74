import BPFTestSupport
import BPFAnalysis
import BPFObject
import Base
import Testing

/// What an author declares to read of the kernel's memory, held against what the compiled instructions read.
@Suite struct DeclaredReadTests {
  private static let types = """
    struct cred { int uid; } __attribute__((preserve_access_index));
    struct entity { long exec; long sum; } __attribute__((preserve_access_index));
    struct task_struct { int pid; struct task_struct *real_parent; const struct cred *cred; char comm[16];
      struct entity se; } __attribute__((preserve_access_index));
    struct task_struct___old { long state; } __attribute__((preserve_access_index));
    struct bare { int pid; };
    static long (*const probe)(void *, int, const void *) = (void *)113;
    static long (*const print)(const char *, int, ...) = (void *)6;
    static long (*const d_path)(void *, char *, int) = (void *)147;
    static long (*const update)(void *, const void *, const void *, long) = (void *)2;
    struct { int (*type)[1]; int *key; struct entity *value; int (*max_entries)[4]; } notes SEC(".maps");
    """

  private static func report(_ section: String, _ body: String, _ annotations: String) throws -> ProgramReport {
    let bytes = try TestObject.compile(
      source: """
        #include "\(TestObject.root)/include/verity_bpf.h"
        \(types)
        SEC("\(section)") int f(unsigned long *ctx) { struct task_struct *t = (void *)ctx[0]; \(body) }
        \(annotations)
        char LICENSE[] SEC("license") = "GPL";
        """)
    let report = try BPFObject.report(bytes: bytes.rawSpan)
    return try #require(report.programs.first)
  }

  private static func declared(_ fields: String) -> String { "VERITY_BPF_READS(f, \"\(fields)\");" }

  @Test(arguments: [
    ("struct task_struct: pid", "return t->pid;", ReadScope.declared),
    ("struct task_struct: pid, real_parent", "return t->real_parent->pid;", .declared),
    ("struct task_struct: cred; struct cred: uid", "return t->cred->uid;", .declared),
    // A member stands for what is inside it, and a path for that alone.
    ("struct task_struct: se", "return t->se.exec;", .declared),
    ("struct task_struct: se.exec", "return t->se.exec;", .declared),
    // Another flavour of the structure is the same structure.
    ("struct task_struct: state", "return ((struct task_struct___old *)t)->state;", .declared),
    // A field's bytes, copied by a helper or by the compiler.
    ("struct task_struct: comm", "char b[16]; probe(b, sizeof b, &t->comm); return b[0];", .declared),
    ("struct task_struct: comm", "char b[16]; probe(b, 8, &t->comm); return b[0];", .declared),
    ("nothing", "return ctx[1];", .none),
    ("struct task_struct: pid", "return 0;", .none),
  ])
  func whatIsDeclaredIsProven(_ fields: String, _ body: String, _ scope: ReadScope) throws {
    let report = try Self.report("fentry/x", body, Self.declared(fields))
    #expect(report.readScope == scope, "\(report.undeclaredReads)")
    let undeclared = try Self.report("fentry/x", body, "")
    #expect(undeclared.readScope == (scope == .none ? .none : .undeclared))
  }

  @Test(arguments: [
    ("struct task_struct: pid", "return t->cred->uid;", "reads task_struct.cred"),
    ("struct task_struct: pid, cred", "return t->cred->uid;", "reads cred.uid"),
    ("struct cred: pid", "return t->pid;", "reads task_struct.pid"),
    ("struct task_struct: se.sum", "return t->se.exec;", "reads task_struct.se.exec"),
    ("struct task_struct: pi", "return t->pid;", "reads task_struct.pid"),
    ("nothing", "return t->pid;", "reads task_struct.pid"),
    // Beside the structure, before its first member.
    ("struct task_struct: pid", "return t[1].pid;", "task_struct[1].pid"),
    // What has no record has no name, whatever the author calls it.
    ("struct bare: pid", "return ((struct bare *)t)->pid;", "no record names"),
    // Two offsets add up to a place that neither names.
    (
      "struct task_struct: pid, real_parent",
      "struct task_struct *u = (void *)&t->real_parent; asm volatile(\"\" : \"+r\"(u)); return u->pid;",
      "no record names"
    ),
    // Beyond the field.
    ("struct task_struct: comm", "char b[64]; probe(b, sizeof b, &t->comm); return b[0];", "bpf_probe_read_kernel#113"),
    ("struct task_struct: comm", "char b[16]; probe(b, ctx[1] & 15, &t->comm); return b[0];", "#113"),
    ("struct task_struct: comm", "char b[16]; probe(b, 16, t); return b[0];", "#113"),
    ("struct task_struct: comm", "char b[8]; probe(b, 8, (char *)&t->comm + 16); return b[0];", "#113"),
    // A load that is wider than the field, with the record at the load itself.
    (
      "struct task_struct: pid", "return *(volatile long *)__builtin_preserve_access_index(&t->pid);", "no record names"
    ),
    (
      "struct task_struct: comm", "return *(volatile long *)__builtin_preserve_access_index(&t->comm[12]);",
      "no record names"
    ),
    // Other ways to the kernel's memory.
    ("nothing", "char m[] = \"%s\"; print(m, sizeof m, ctx[1]); return 0;", "bpf_trace_printk#6"),
    ("nothing", "char b[64]; return d_path((void *)ctx[0], b, 64);", "bpf_d_path#147"),
    ("nothing", "int k = 0; update(&notes, &k, t, 0); return 0;", "hands bpf_map_update_elem#2 a pointer"),
    ("nothing", "static long (*const h)(void) = (void *)4711; return h();", "unknown#4711"),
  ])
  func whatIsNotDeclaredIsFound(_ fields: String, _ body: String, _ reason: String) throws {
    let report = try Self.report("fentry/x", body, Self.declared(fields))
    #expect(report.readScope == .undeclared)
    #expect(
      report.undeclaredReads.contains { $0.reason.contains(reason) || $0.subject?.contains(reason) == true },
      "\(report.undeclaredReads)")
  }

  /// In programs whose context holds no pointers only helpers read.
  @Test func numbersAreNoReads() throws {
    let quiet = try Self.report(
      "raw_tp/x", "int k = ctx[1]; struct entity e = {}; update(&notes, &k, &e, 0); return 0;", "")
    #expect(quiet.readScope == .none, "\(quiet.undeclaredReads)")
    let named = try Self.report(
      "kprobe/x", "int v; probe(&v, sizeof v, &t->pid); return v;", Self.declared("struct task_struct: pid"))
    #expect(named.readScope == .declared, "\(named.undeclaredReads)")
    #expect(named.kernelReads.map(\.subject) == ["task_struct.pid"])
  }

  @Test(arguments: [
    ("", "annotation.damaged"), ("task_struct: pid", "annotation.reads"), ("struct: pid", "annotation.reads"),
    ("class task_struct: pid", "annotation.unknown-word"), ("struct task_struct", "annotation.reads"),
    ("struct task_struct:", "annotation.reads"), ("struct task_struct: pid,", "annotation.reads"),
    ("struct task_struct: pid;", "annotation.reads"), ("struct task_struct: pid: comm", "annotation.reads"),
    ("struct task_struct: *", "annotation.reads"), ("struct task_struct: a..b", "annotation.reads"),
    ("struct task_struct: 1a", "annotation.reads"), ("nothing struct a: b", "annotation.reads"),
    ("struct a: b c", "annotation.reads"), ("everything", "annotation.reads"),
  ])
  func hostileDeclarationsAreRefused(_ fields: String, _ code: String) {
    let error = #expect(throws: BPFObjectError.self) {
      try Self.report("fentry/x", "return 0;", Self.declared(fields))
    }
    #expect(error?.check.rawValue == code)
  }

  @Test func declarationsComeOnceAndForWhatIsThere() {
    let twice =
      "VERITY_BPF_READS(f, \"nothing\"); static const char b[] __attribute__((section(\".verity_bpf\"), used)) "
    for (text, code) in [
      (twice + "= \"f reads: struct a: b\\n\";", "annotation.twice"),
      ("VERITY_BPF_READS(g, \"nothing\");", "annotation.unknown-program"),
      (
        "static const char b[] __attribute__((section(\".verity_bpf\"), used)) = \"f reads: struct a: b\";",
        "annotation.damaged"
      ),
    ] {
      let error = #expect(throws: BPFObjectError.self) { try Self.report("fentry/x", "return 0;", text) }
      #expect(error?.check.rawValue == code)
    }
  }
}
