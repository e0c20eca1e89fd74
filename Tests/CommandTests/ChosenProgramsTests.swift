import Base
import Linux
import TestSupport
import Testing

/// `--program`, `--without-program`, `--attach-program`: what an object's own loader would choose.
@Suite struct ChosenProgramsTests {
  let directory: TemporaryDirectory

  /// An image with two objects: variants of a program of which one asks for what no kernel has, and optional ones.
  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    try compile(
      "variants",
      """
      extern int function_of_no_kernel(void) __attribute__((section(".ksyms")));
      SEC("fentry/function_of_no_kernel") int handle_new(void *context) {
        (void)context;
        return function_of_no_kernel();
      }
      SEC("raw_tp/sys_enter") int handle_old(void *context) { (void)context; return 0; }
      SEC("raw_tp/sys_exit") int other(void *context) { (void)context; return 0; }
      """)
    try compile(
      "optional",
      """
      SEC("?xdp") int first(struct xdp_md *context) { (void)context; return XDP_PASS; }
      SEC("?xdp") int second(struct xdp_md *context) { (void)context; return XDP_DROP; }
      """)
    let built = try VerityBPFCommand.run(["build-image", "progs", "-o", "i.raw"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
  }

  private func compile(_ name: String, _ programs: String) throws {
    try directory.write(
      "\(name).bpf.c", "#include \"vbpf.h\"\n\(programs)\nchar LICENSE[] SEC(\"license\") = \"GPL\";\n")
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c",
      directory.file("\(name).bpf.c"), "-o", directory.file("progs/\(name).bpf.o"))
  }

  private func load(_ object: String, _ options: String..., rule: String = "") throws -> VerityBPFCommand.Result {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return try VerityBPFCommand.run(
      [
        "load", "--image", "i.raw", "--object", "\(object).bpf.o", "--policy", "p.pol", "--audit-dir", "audit",
        "--json",
      ] + options,
      in: directory.path)
  }

  private func names(_ result: VerityBPFCommand.Result) throws -> [String] {
    guard case .array(let programs)? = try result.json()["programs"] else { return [] }
    return programs.compactMap { program in
      guard case .string(let name)? = program["name"] else { return nil }
      return name
    }
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be loaded")) func loadsWhatIsChosen() throws {
    let whole = try load("variants")
    #expect(whole.status == 6 && whole.errors.contains("function_of_no_kernel"), "\(whole.errors)")

    let without = try load("variants", "--without-program", "*_new")
    #expect(without.status == 0, "\(without.errors)")
    #expect(try names(without) == ["handle_old", "other"])
    #expect(try without.json()["programs_left_out"] == ["*_new"])
    let only = try load("variants", "--program", "handle_*", "--without-program", "handle_new")
    #expect(try only.status == 0 && names(only) == ["handle_old"], "\(only.errors)")
    let attached = try load("variants", "--without-program", "handle_new", "--attach-program", "other")
    #expect(attached.status == 0, "\(attached.errors)")
    #expect(try names(attached) == ["handle_old", "other"])
    guard case .array(let attachments)? = try attached.json()["attachments"] else { throw NoAttachments() }
    #expect(attachments.count == 1)
    let optional = try load("optional", "--program", "second")
    #expect(try optional.status == 0 && names(optional) == ["second"], "\(optional.errors)")

    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    for stage in ["attempt", "decision"] {
      let last = records.last { $0["stage"] == .string(stage) }
      #expect(last?["chosen_programs"] == ["second"], "\(stage)")
    }
  }

  /// The facts are of what will be loaded.
  @Test func thePolicyJudgesWhatIsChosen() throws {
    let rule = "x_prog_type=raw_tracepoint "
    #expect(try load("variants", "--dry-run", rule: rule).status == 2)
    #expect(try load("variants", "--without-program", "handle_new", "--dry-run", rule: rule).status == 0)
    #expect(try load("variants", "--program", "handle_new", "--dry-run", rule: rule).status == 2)
    let asItIs = "x_configured=FALSE "
    // Allowed, and the kernel lacks a function of a program that is to be loaded.
    #expect(try load("variants", "--dry-run", rule: asItIs).status == 6)
    for (option, status) in [("--program", 0), ("--attach-program", 6)] {
      #expect(try load("variants", option, "other", "--dry-run", rule: asItIs).status == 2)
      #expect(try load("variants", option, "other", "--dry-run", rule: "x_configured=TRUE ").status == status)
    }
  }

  @Test func namesThatAreNotThere() throws {
    for option in ["--program", "--without-program", "--attach-program"] {
      let result = try load("variants", option, "absent", "--dry-run")
      #expect(result.status == 64 && result.errors.contains("error[load.no-such-program]"), "\(result.errors)")
      #expect(result.errors.contains("handle_new, handle_old, other"), "\(result.errors)")
    }
    let unasked = try load("optional", "--dry-run")
    #expect(unasked.status == 1 && unasked.errors.contains("error[load.nothing]"), "\(unasked.errors)")
    #expect(unasked.errors.contains("--program first"), "\(unasked.errors)")
    let nothing = try load("variants", "--without-program", "*", "--dry-run")
    #expect(nothing.status == 1 && nothing.errors.contains("error[load.nothing]"), "\(nothing.errors)")
    // Not loaded, and so not to attach.
    let left = try load("variants", "--program", "other", "--attach-program", "handle_old", "--dry-run")
    #expect(left.status == 64 && left.errors.contains("error[load.no-such-program]"), "\(left.errors)")
  }
}

private struct NoAttachments: Error {}
