import Base
import TestSupport
import Testing

/// What `inspect` says of two releases, and of kernels that an object is made for.
@Suite struct InspectReleaseTests {
  private static let head = """
    struct { int (*type)[1]; int (*max_entries)[16]; __u32 *key; __u64 *value; } seen SEC(".maps");
    static __u64 (*const now)(void) = (void *)5;
    static long (*const copy)(void *, __u32, const void *) = (void *)113;
    """
  private static let old =
    head + """

      SEC("raw_tp/sys_enter") int handle(void *ctx) { return now() > 1 && &seen; }
      SEC("xdp") int filter(void *ctx) { return 2; }
      char LICENSE[] SEC("license") = "GPL";
      """
  private static let new =
    head + """

      SEC("raw_tp/sys_enter") int handle(void *ctx) { long v = 0; copy(&v, 8, ctx); return v + now() > 1 && &seen; }
      SEC("syscall") int setup(void *ctx) { return 0; }
      char LICENSE[] SEC("license") = "Dual BSD/GPL";
      """

  private func compile(_ source: String, to object: String, in directory: TemporaryDirectory) throws {
    let path = try directory.write("source.bpf.c", "#include \"vbpf.h\"\n\(source)\n")
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c", path, "-o", object)
  }

  private func compiled() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for (name, source) in [("1", Self.old), ("2", Self.new)] {
      try Tools.run("mkdir", directory.file(name))
      try compile(source, to: directory.file("\(name)/a.bpf.o"), in: directory)
    }
    return directory
  }

  private func expectChanges(_ json: JSONValue) throws {
    #expect(json["kind"] == "comparison" && json["same"] == false)
    let text = json.compact
    for change in [
      #""subject":"program handle","aspect":"helpers","gone":[],"new":["bpf_probe_read_kernel#113"]"#,
      #""subject":"program filter","aspect":"type","gone":["xdp"],"new":[]"#,
      #""subject":"program setup","aspect":"type","gone":[],"new":["syscall, sleepable"]"#,
      #""subject":"object","aspect":"license","gone":["GPL"],"new":["Dual BSD/GPL"]"#,
    ] { #expect(text.contains(change), "\(change) in \(text)") }
    #expect(text.contains(#""aspect":"reads","gone":[],"new":["#) && text.contains(#""aspect":"lockdown""#))
  }

  @Test func ofObjects() throws {
    let directory = try compiled()
    let compare = ["inspect", "1/a.bpf.o", "2/a.bpf.o"]
    try expectChanges(try VerityBPFCommand.run(compare + ["--json"], in: directory.path).json())
    let people = try VerityBPFCommand.run(compare, in: directory.path)
    #expect(people.status == 0 && people.output.contains("+ bpf_probe_read_kernel#113"), "\(people.output)")
    #expect(try VerityBPFCommand.run(compare + ["--exit-code"], in: directory.path).status == 1)
    let same = try VerityBPFCommand.run(
      ["inspect", "1/a.bpf.o", "1/a.bpf.o", "--exit-code"], in: directory.path)
    #expect(same.status == 0 && same.output.contains("same bytes"))
  }

  @Test func ofImages() throws {
    let directory = try compiled()
    for name in ["1", "2"] {
      let built = try VerityBPFCommand.run(["build-image", name, "-o", "\(name).raw"], in: directory.path)
      try #require(built.status == 0, "\(built.errors)")
    }
    try expectChanges(try VerityBPFCommand.run(["inspect", "1.raw", "2.raw", "--json"], in: directory.path).json())
    let mixed = try VerityBPFCommand.run(["inspect", "1.raw", "2/a.bpf.o"], in: directory.path)
    #expect(mixed.status == 64 && mixed.errors.contains("not both"), "\(mixed.errors)")
  }

  // MARK: - Kernels

  private func inspect(_ kernel: String, in directory: TemporaryDirectory) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["inspect", "2/a.bpf.o", "--for-kernel", kernel], in: directory.path)
  }

  @Test func byVersion() throws {
    let directory = try compiled()
    let old = try inspect("5.10", in: directory)
    #expect(old.status == 6, "\(old.errors)")
    #expect(old.output.contains("a.bpf.o setup: program type syscall: came with Linux 5.14"), "\(old.output)")
    #expect(old.output.contains("not predicted"))
    let new = try inspect("6.12", in: directory)
    #expect(new.status == 0 && new.output.contains("nothing that is known refuses it"), "\(new.output)")
    let json = try VerityBPFCommand.run(
      ["inspect", "2/a.bpf.o", "--for-kernel", "5.10", "--for-kernel", "6.12", "--json"], in: directory.path)
    guard case .array(let kernels)? = try json.json()["kernels"] else { return #expect(Bool(false)) }
    #expect(
      kernels.map { $0["kernel"] } == ["5.10", "6.12"] && kernels.allSatisfy { $0["verifier_predicted"] == false })
  }

  @Test func byConfiguration() throws {
    let directory = try compiled()
    let options = ["BPF_SYSCALL", "BPF_EVENTS", "DEBUG_INFO_BTF", "NET"].map { "CONFIG_\($0)=y\n" }.joined()
    try directory.write("config", options)
    #expect(try inspect("config", in: directory).status == 0)
    try directory.write("config", options.replacing("CONFIG_BPF_EVENTS=y\n", with: "# CONFIG_BPF_EVENTS is not set\n"))
    let without = try inspect("config", in: directory)
    #expect(without.status == 6 && without.output.contains("CONFIG_BPF_EVENTS is not set"), "\(without.output)")
    try directory.write("config", options + "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y\n")
    let locked = try inspect("config", in: directory)
    #expect(
      locked.status == 6 && locked.output.contains("helper bpf_probe_read_kernel#113: lockdown=confidentiality"),
      "\(locked.output)")
  }

  /// The types of an object stand in for a kernel's: they name what they name.
  @Test func byTypes() throws {
    let directory = try compiled()
    try compile(
      """
      enum bpf_prog_type { BPF_PROG_TYPE_RAW_TRACEPOINT = 17 } type;
      enum bpf_func_id { BPF_FUNC_ktime_get_ns = 5 } helper;
      SEC("xdp") int f(void *ctx) { return type + helper; }
      char LICENSE[] SEC("license") = "GPL";
      """, to: directory.file("kernel.o"), in: directory)
    try Tools.run(
      "objcopy", "-I", "elf64-little", "--dump-section", ".BTF=\(directory.file("types"))", directory.file("kernel.o"))
    let result = try inspect("types", in: directory)
    #expect(result.status == 6, "\(result.errors)")
    #expect(result.output.contains("a.bpf.o setup: program type syscall: its types have none"), "\(result.output)")
    #expect(result.output.contains("a.bpf.o handle: helper bpf_probe_read_kernel#113: its types have none"))
    #expect(!result.output.contains("a.bpf.o handle: program type"))
  }

  @Test func whatDescribesNoKernel() throws {
    let directory = try compiled()
    let text = try inspect("2/a.bpf.o", in: directory)
    #expect(text.status == 1 && text.errors.contains("error[kernel.no-description]"), "\(text.errors)")
    let missing = try inspect("absent", in: directory)
    #expect(missing.status == 1 && missing.errors.contains("error[system.not-found]"), "\(missing.errors)")
  }

  @Test func whereImagesAreBuilt() throws {
    let directory = try compiled()
    let built = try VerityBPFCommand.run(
      ["build-image", "2", "-o", "2.raw", "--for-kernel", "5.10", "--for-kernel", "6.12"], in: directory.path)
    #expect(built.status == 0, "\(built.errors)")
    #expect(built.output.contains("a.bpf.o setup: program type syscall: came with Linux 5.14"), "\(built.output)")
    #expect(built.output.split(separator: "\n").last?.hasPrefix("root hash ") == true)
    let image = try VerityBPFCommand.run(["inspect", "2.raw", "--for-kernel", "5.10"], in: directory.path)
    #expect(image.status == 6 && image.output.contains("kernel   5.10"))
  }
}
