import Base
import Linux
import TestSupport
import Testing

/// Objects without type information, with some that no kernel takes, and with addresses in their data.
@Suite struct ObjectTypesTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    let license = "char LICENSE[] SEC(\"license\") = \"GPL\";"
    let program = "SEC(\"xdp\") int f(struct xdp_md *context) { (void)context; return XDP_PASS; }"
    try compile("bare", "\(program) \(license)", "-g0")
    try compile(
      "unnamed",
      """
      static __attribute__((noinline)) int add(int, int number) { asm volatile(""); return number + 1; }
      SEC("xdp") int f(struct xdp_md *context) { return add(1, context->rx_queue_index); } \(license)
      """)
    try compile(
      "pointers",
      """
      const char *const names[] = {"one", "two"};
      struct description { void *function; int number; };
      \(program)
      struct description described = { f, 7 };
      SEC("xdp") int g(struct xdp_md *context) { (void)context; return described.number; } \(license)
      """)
  }

  private func compile(_ name: String, _ source: String, _ flags: String..., into place: String = "progs") throws {
    try directory.write("\(name).bpf.c", "#include \"vbpf.h\"\n\(source)\n")
    try Tools.run(
      ["clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c"] + flags + [
        directory.file("\(name).bpf.c"), "-o", directory.file("\(place)/\(name).bpf.o"),
      ])
  }

  private func run(_ arguments: String...) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(arguments, in: directory.path)
  }

  @Test func buildingNamesWhatIsUnusual() throws {
    let built = try run("build-image", "progs", "-o", "i.raw", "--json")
    #expect(built.status == 0, "\(built.errors)")
    let told = built.errors.split(separator: "\n")
    let names = told.first { $0.contains("variable `names` of section `.rodata`") }
    #expect(names?.hasPrefix("warning[object.data-pointers]: `pointers.bpf.o`: ") == true, "\(built.errors)")
    #expect(names?.contains("2 addresses") == true && names?.contains("no program refers to it") == true)
    let described = told.first { $0.contains("variable `described` of section `.data`") }
    #expect(described?.contains("zeros are there") == true && described?.contains("program `g`") == true)
    #expect(built.errors.contains("warning[object.type-edits]: `unnamed.bpf.o`: "), "\(built.errors)")
    #expect(!built.errors.contains("bare.bpf.o"))
    guard case .array(let notes) = try built.json()["notes"] else {
      Issue.record("no notes")
      return
    }
    #expect(notes.count == 3)
    #expect(try SchemaTests.schema("build-image").faults(in: built.json()) == [])
  }

  @Test func inspectingSaysIt() throws {
    let bare = try run("inspect", "progs/bare.bpf.o")
    #expect(bare.status == 0 && bare.output.contains("  types     none: "), "\(bare.output)\(bare.errors)")
    let unnamed = try run("inspect", "progs/unnamed.bpf.o")
    #expect(unnamed.output.contains("FUNC `add`: a parameter has no name"), "\(unnamed.output)")
    for name in ["bare", "unnamed", "pointers"] {
      let json = try run("inspect", "progs/\(name).bpf.o", "--json").json()
      #expect(try SchemaTests.schema("inspect").faults(in: json) == [], "\(name)")
      #expect(json["types"]?["edits"] != .array([]) || name != "unnamed")
    }
  }

  /// Objects that are made to be linked with others are described, and neither packed nor loaded.
  @Test func partsAreCalledWhatTheyAre() throws {
    try Directory.create(directory.file("parts"))
    let map = """
      struct {
        __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4);
      } shared SEC(".maps");
      """
    try compile("maps", map, into: "parts")
    let inspected = try run("inspect", "parts/maps.bpf.o")
    #expect(inspected.status == 0 && inspected.output.contains("program  none: only maps"), "\(inspected.output)")
    #expect(inspected.output.contains("map      shared"))
    let json = try run("inspect", "parts/maps.bpf.o", "--json").json()
    #expect(json["contents_without_programs"] == "only maps" && json["programs"] == .array([]))
    let built = try run("build-image", "parts", "-o", "parts.raw")
    #expect(built.status == 1 && built.errors.contains("error[object.no-programs]"), "\(built.errors)")
    #expect(built.errors.contains("only maps"))
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be loaded")) func loadingRecordsWhatWasChanged() throws {
    try #require(try run("build-image", "progs", "-o", "i.raw").status == 0)
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD action=ALLOW\n")
    var types: [String: JSONValue] = [:]
    for name in ["bare", "unnamed", "pointers"] {
      let loaded = try run(
        "load", "--image", "i.raw", "--object", "\(name).bpf.o", "--policy", "p.pol", "--audit-dir", "audit", "--json")
      #expect(loaded.status == 0, "\(name): \(loaded.errors)")
      let json = try loaded.json()
      #expect(try SchemaTests.schema("load").faults(in: json) == [], "\(name)")
      types[name] = json["types"]?["submitted"]
      let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map {
        try JSONValue.parse(Array($0))
      }
      let decision = records.last { $0["stage"] == "decision" }
      #expect(decision?["type_edits"] == json["type_edits"])
      #expect(records.last?["outcome"]?["types"] == json["types"])
      #expect((json["type_edits"] == .array([])) == (name != "unnamed"))
    }
    #expect(types == ["bare": "none", "unnamed": "as-linked", "pointers": "as-linked"])
  }
}
