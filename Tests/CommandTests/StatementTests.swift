import Base
import Linux
import TestSupport
import Testing

/// What an image states of objects besides what their bytes say: types of sections, and whether options may change them.
@Suite struct StatementTests {
  let directory: TemporaryDirectory

  /// Two objects: one with a section whose name says no type, one with a constant.
  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    try compile("filter", "SEC(\"filter\") int f(void *context) { (void)context; return 0; }")
    try compile(
      "plain",
      """
      const volatile __u32 count = 3;
      SEC("xdp") int f(struct xdp_md *context) { (void)context; return count; }
      SEC("xdp") int g(struct xdp_md *context) { (void)context; return count + 1; }
      """)
  }

  private func compile(_ name: String, _ programs: String) throws {
    try directory.write(
      "\(name).bpf.c", "#include \"vbpf.h\"\n\(programs)\nchar LICENSE[] SEC(\"license\") = \"GPL\";\n")
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c",
      directory.file("\(name).bpf.c"), "-o", directory.file("progs/\(name).bpf.o"))
  }

  private func build(_ options: String...) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["build-image", "progs", "-o", "i.raw", "--json"] + options, in: directory.path)
  }

  private func load(_ object: String, _ options: String..., rule: String = "") throws -> VerityBPFCommand.Result {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return try VerityBPFCommand.run(
      [
        "load", "--image", "i.raw", "--object", "\(object).bpf.o", "--policy", "p.pol", "--audit-dir", "audit",
        "--json",
      ] + options, in: directory.path)
  }

  private func object(_ name: String) throws -> JSONValue? {
    let inspected = try VerityBPFCommand.run(["inspect", "i.raw", "--json"], in: directory.path).json()
    #expect(try SchemaTests.schema("inspect").faults(in: inspected) == [])
    guard case .array(let objects)? = inspected["manifest"]?["objects"] else { return nil }
    return objects.first { $0["path"] == .string("\(name).bpf.o") }
  }

  @Test func aSectionOfUnknownTypeIsPackedWithAWarning() throws {
    let built = try build()
    #expect(built.status == 0 && built.errors.contains("warning[build.unknown-section]"), "\(built.errors)")
    #expect(built.errors.contains("--section-type filter=TYPE"), "\(built.errors)")
    #expect(try built.json()["unknown"] == [["path": "filter.bpf.o", "section": "filter"]])
    #expect(try SchemaTests.schema("build-image").faults(in: built.json()) == [])
    let analysis = try object("filter")?["programs"]
    guard case .array(let programs)? = analysis else { throw NoPrograms() }
    // The worst is assumed of it.
    #expect(programs[0]["type"] == "unspec" && programs[0]["analysis"]?["restricted"] == false)

    let unstated = try load("filter", "--dry-run")
    #expect(
      unstated.status == 1 && unstated.errors.contains("error[object.unknown-section-name]"), "\(unstated.errors)")
    #expect(unstated.errors.contains("--section-type filter=TYPE"), "\(unstated.errors)")
    // Stated at the load, it is configured.
    let options = ["--dry-run", "--section-type", "filter=socket"]
    #expect(try load("filter", options[0], options[1], options[2], rule: "x_prog_type=socket_filter ").status == 0)
    #expect(try load("filter", options[0], options[1], options[2], rule: "x_configured=FALSE ").status == 2)
    #expect(try load("filter", options[0], options[1], options[2], rule: "x_prog_type=xdp ").status == 2)
  }

  @Test func anImageStatesTypes() throws {
    let built = try build("--section-type", "filter=socket")
    #expect(built.status == 0 && !built.errors.contains("unknown-section"), "\(built.errors)")
    let filter = try object("filter")
    #expect(filter?["section_types"] == [["section": "filter", "type": "socket"]])
    #expect(try object("plain")?["section_types"] == nil)
    // It is the image's word, and nothing is configured.
    #expect(try load("filter", "--dry-run", rule: "x_prog_type=socket_filter x_configured=FALSE ").status == 0)
    let again = try load("filter", "--dry-run", "--section-type", "filter=xdp")
    #expect(again.status == 64 && again.errors.contains("error[load.section-has-type]"), "\(again.errors)")
    guard Tools.isRoot else { return print("not root: nothing was loaded") }
    let loaded = try load("filter")
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(try VerityBPFCommand.run(["verify", "i.raw"], in: directory.path).status == 0)
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be loaded")) func loadsWhatIsStatedAtTheLoad() throws {
    #expect(try build().status == 0)
    let loaded = try load("filter", "--section-type", "filter=socket")
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(try loaded.json()["section_types"] == [["section": "filter", "type": "socket"]])
    #expect(try SchemaTests.schema("load").faults(in: loaded.json()) == [])
    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    for stage in ["attempt", "decision"] {
      let record = try #require(records.last { $0["stage"] == .string(stage) })
      #expect(record["section_types"] == [["section": "filter", "type": "socket"]], "\(stage)")
      #expect(try SchemaTests.schema("audit").faults(in: record) == [])
    }
  }

  /// What an object is with such a type can be seen before it is packed or loaded.
  @Test func inspectTakesTypes() throws {
    func inspect(_ words: String...) throws -> VerityBPFCommand.Result {
      try VerityBPFCommand.run(["inspect"] + words, in: directory.path)
    }
    let option = "--section-type=filter=socket"
    let described = try inspect("progs/filter.bpf.o", option, "--json")
    #expect(described.status == 0, "\(described.errors)")
    let answer = try described.json()
    #expect(answer["section_types"] == [["section": "filter", "type": "socket"]])
    guard case .array(let programs)? = answer["programs"] else { throw NoPrograms() }
    #expect(programs[0]["type"] == "socket_filter" && programs[0]["class"] == "restricted")
    #expect(try SchemaTests.schema("inspect").faults(in: answer) == [])
    #expect(try inspect("progs/filter.bpf.o", option).output.contains("section filter: socket, as asked for"))
    #expect(try inspect("progs/filter.bpf.o", "--json").json()["section_types"] == [])
    // Of kernels, and of two releases too.
    let kernels = try inspect("progs/filter.bpf.o", "--section-type", "filter=tcx/ingress", "--for-kernel", "6.1")
    #expect(kernels.status == 6 && kernels.output.contains("6.6"), "\(kernels.output)\(kernels.errors)")
    try compile("next", "SEC(\"filter\") int f(void *context) { (void)context; return 1; }")
    let changed = try inspect("progs/filter.bpf.o", "progs/next.bpf.o", option)
    #expect(changed.status == 0, "\(changed.errors)")

    let absent = try inspect("progs/plain.bpf.o", option)
    #expect(absent.status == 64 && absent.errors.contains("error[load.no-such-section]"), "\(absent.errors)")
    let known = try inspect("progs/plain.bpf.o", "--section-type", "xdp=socket")
    #expect(known.status == 64 && known.errors.contains("error[load.section-has-type]"), "\(known.errors)")
    #expect(try inspect("progs/filter.bpf.o", option, option).status == 64)
    // An image says it of its objects itself.
    #expect(try build("--section-type", "filter=tcx/ingress").status == 0)
    #expect(try inspect("i.raw", option).status == 64)
    let image = try inspect("i.raw", "--for-kernel", "6.1", "--json")
    #expect(image.status == 6 && image.output.contains("6.6"), "\(image.output)")
  }

  @Test func typesOfNoSection() throws {
    #expect(try build("--section-type", "xdp=socket").errors.contains("error[build.no-such-object]"))
    #expect(try build("--section-type", "absent=socket").status == 64)
    #expect(try build("--section-type", "filter=nothing").status == 64)
    #expect(try build("--section-type", "filter=socket", "--section-type", "filter=xdp").status == 64)
    #expect(try build().status == 0)
    let absent = try load("plain", "--dry-run", "--section-type", "filter=socket")
    #expect(absent.status == 64 && absent.errors.contains("error[load.no-such-section]"), "\(absent.errors)")
    let known = try load("plain", "--dry-run", "--section-type", "xdp=socket")
    #expect(known.status == 64 && known.errors.contains("error[load.section-has-type]"), "\(known.errors)")
  }

  /// A newer build may state types that this one does not know: that is no reason to distrust the image.
  @Test(.enabled(if: Tools.isRoot, "veritysetup needs root")) func typesThatThisBuildDoesNotKnow() throws {
    try #require(try build("--section-type", "filter=socket", "--layout", "sidecar").status == 0)
    var bytes = try directory.read("i.raw")
    let (known, newer) = (Array(#""socket""#.utf8), Array(#""sockes""#.utf8))
    let found = bytes.rawSpan.firstOffset(of: known.rawSpan)
    let place = try #require(found)
    bytes.replaceSubrange(place..<place + known.count, with: newer)
    try directory.write("i.raw", bytes)
    let tree = directory.file("i.verity")
    let head = try Tools.run("veritysetup", "dump", tree)
    func field(_ name: String) throws -> String {
      let line = try #require(head.split(separator: "\n").first { $0.hasPrefix(name) })
      return String(try #require(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).last))
    }
    let made = try Tools.run(
      "veritysetup", "format", "--uuid", field("UUID:"), "--salt", field("Salt:"), directory.file("i.raw"), tree)
    let hash = try #require(made.split(separator: "\n").first { $0.hasPrefix("Root hash:") })
    try directory.write(
      "i.roothash", String(try #require(hash.split(whereSeparator: { $0 == " " || $0 == "\t" }).last)))
    let refused = try load("filter", "--dry-run")
    #expect(refused.status == 6 && refused.errors.contains("error[manifest.unknown-type]"), "\(refused.errors)")
    #expect(refused.errors.contains("`sockes` for section `filter`"), "\(refused.errors)")
    #expect(try load("plain", "--dry-run").status == 0, "of others nothing is unknown")
  }

  /// Both have to allow it: the image's word counts whatever a policy says, and it binds no policy.
  @Test func anImageStatesWhatMayBeConfigured() throws {
    #expect(try build().status == 0)
    #expect(try object("plain")?["configurable"] == nil)
    #expect(try load("plain", "--dry-run", "--set", "count=4").status == 0)

    #expect(try build("--configurable", "plain*").status == 0)
    #expect(try object("plain")?["configurable"] == true && object("filter")?["configurable"] == false)
    #expect(try load("plain", "--dry-run", "--set", "count=4").status == 0)
    #expect(try load("plain", "--dry-run", "--set", "count=4", rule: "x_configured=FALSE ").status == 2)

    #expect(try build("--configurable", "-").status == 0)
    #expect(try object("plain")?["configurable"] == false && object("filter")?["configurable"] == false)
    #expect(try load("plain", "--dry-run").status == 0)
    for option in [
      ["--set", "count=4"], ["--program", "f"], ["--without-program", "f"], ["--attach-program", "f"],
      ["--map-entries", "m=1"], ["--section-type", "s=xdp"],
    ] {
      let result = try load("plain", "--dry-run", option[0], option[1], rule: "x_configured=TRUE ")
      #expect(result.status == 2 && result.errors.contains("error[load.not-configurable]"), "\(result.errors)")
    }
  }

  @Test func patternsThatNoObjectHas() throws {
    let absent = try build("--configurable", "absent*")
    #expect(absent.status == 64 && absent.errors.contains("error[build.no-such-object]"), "\(absent.errors)")
    #expect(try build("--configurable", "-", "--configurable", "plain*").status == 64)
  }

  /// One object that cannot be loaded keeps out no other, when that is asked for.
  @Test func unusableObjectsAreLeftOutOnRequest() throws {
    try directory.write("progs/bad.bpf.o", "text")
    let refused = try build()
    #expect(refused.status == 1 && refused.errors.contains("error[object.not-elf]"), "\(refused.errors)")
    let built = try build("--skip-unusable")
    #expect(built.status == 0 && built.errors.contains("warning[build.unusable]: `bad.bpf.o`"), "\(built.errors)")
    guard case .array(let unusable)? = try built.json()["unusable"] else { throw NoPrograms() }
    #expect(unusable.map { $0["path"] } == ["bad.bpf.o"] && unusable.map { $0["code"] } == ["object.not-elf"])
    #expect(try SchemaTests.schema("build-image").faults(in: built.json()) == [])
    #expect(try object("plain") != nil && object("bad") == nil)
    #expect(try VerityBPFCommand.run(["verify", "i.raw"], in: directory.path).status == 0)
    // Of nothing else there is no image.
    try Tools.run("rm", directory.file("progs/plain.bpf.o"), directory.file("progs/filter.bpf.o"))
    let alone = try build("--skip-unusable")
    #expect(alone.status == 1 && alone.errors.contains("error[object.not-elf]"), "\(alone.errors)")
  }

  /// An image is made for kernels that may be newer than its builder.
  @Test func mapsOfUnknownTypesArePacked() throws {
    try compile(
      "maps",
      """
      struct { __uint(type, 99); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } m SEC(".maps");
      SEC("xdp") int f(struct xdp_md *context) {
        __u32 key = 0;
        (void)context;
        return bpf_map_lookup_elem(&m, &key) ? XDP_PASS : XDP_DROP;
      }
      """)
    let built = try build()
    #expect(built.status == 0 && built.errors.contains("warning[build.unknown-map-type]"), "\(built.errors)")
    #expect(built.errors.contains("type 99"), "\(built.errors)")
    let inspected = try VerityBPFCommand.run(["inspect", "progs/maps.bpf.o"], in: directory.path)
    #expect(
      inspected.output.contains("type 99") && inspected.output.contains("the worst is assumed"), "\(inspected.output)")
    for rule in ["x_class=RESTRICTED ", "x_reads=NONE ", "x_lockdown=INTEGRITY "] {
      #expect(try load("maps", "--dry-run", rule: rule).status == 2, "\(rule)")
    }
    guard Tools.isRoot else { return print("not root: no kernel was asked") }
    let loaded = try load("maps")
    #expect(loaded.status == 6 && loaded.errors.contains("error[load.unknown-to-kernel]"), "\(loaded.errors)")
    #expect(loaded.errors.contains("map type 99; its newest is "), "\(loaded.errors)")
  }
}

private struct NoPrograms: Error {}
