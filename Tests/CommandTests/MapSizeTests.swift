import Base
import Linux
import TestSupport
import Testing

/// `--map-entries`: maps whose size an object leaves to whoever loads it.
@Suite struct MapSizeTests {
  let directory: TemporaryDirectory

  /// An image with one object: a map without a size, and one of four entries.
  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    try directory.write(
      "o.bpf.c",
      """
      #include "vbpf.h"
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); } open SEC(".maps");
      struct {
        __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4);
      } sized SEC(".maps");
      SEC("xdp") int f(struct xdp_md *context) {
        __u32 key = 0;
        (void)context;
        return bpf_map_lookup_elem(&open, &key) && bpf_map_lookup_elem(&sized, &key) ? XDP_PASS : XDP_DROP;
      }
      char LICENSE[] SEC("license") = "GPL";
      """)
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c",
      directory.file("o.bpf.c"), "-o", directory.file("progs/o.bpf.o"))
    let built = try VerityBPFCommand.run(["build-image", "progs", "-o", "i.raw"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
  }

  private func load(_ options: String..., rule: String = "") throws -> VerityBPFCommand.Result {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return try VerityBPFCommand.run(
      ["load", "--image", "i.raw", "--object", "o.bpf.o", "--policy", "p.pol", "--audit-dir", "audit", "--json"]
        + options,
      in: directory.path)
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be loaded")) func sizesWhatIsOpen() throws {
    let unsized = try load()
    #expect(unsized.status == 5 && unsized.errors.contains("error[load.map-without-size]"), "\(unsized.errors)")
    #expect(unsized.errors.contains("--map-entries open=N"), "\(unsized.errors)")

    let pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
    defer { _ = try? Tools.run("umount", pins) }
    let loaded = try load("--map-entries", "open=7", "--pin-path", "\(pins)/o")
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(try loaded.json()["map_entries"] == [["map": "open", "entries": 7]])
    let shown = try Tools.run("bpftool", "map", "show", "pinned", "\(pins)/o/map/open")
    #expect(shown.contains("max_entries 7"), "\(shown)")
    let decision = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
      .last { $0["stage"] == "decision" }
    #expect(decision?["map_entries"] == [["map": "open", "entries": 7]])
  }

  @Test func keepsWhatTheObjectSays() throws {
    let sized = try load("--map-entries", "sized=5", "--dry-run")
    #expect(sized.status == 1 && sized.errors.contains("error[load.map-has-size]"), "\(sized.errors)")
    let unknown = try load("--map-entries", "other=5", "--dry-run")
    #expect(unknown.status == 1 && unknown.errors.contains("error[load.no-map-to-size]"), "\(unknown.errors)")
    #expect(unknown.errors.contains("open"), "\(unknown.errors)")
  }

  /// A class that bounds memory has to count what is asked for.
  @Test func theClassCountsSizedMaps() throws {
    #expect(try load("--map-entries", "open=100", "--dry-run", rule: "x_class=RESTRICTED ").status == 0)
    #expect(try load("--map-entries", "open=100000000", "--dry-run", rule: "x_class=RESTRICTED ").status == 2)
  }

  @Test(arguments: [
    ["open"], ["open="], ["open=0"], ["=4"], ["open=-1"], ["open=+1"], ["open=4294967296"], ["open=1", "open=2"],
  ])
  func refusesOtherForms(texts: [String]) throws {
    let result = try VerityBPFCommand.run(
      ["load", "--image", "i.raw", "--object", "o.bpf.o", "--policy", "p.pol", "--dry-run"]
        + texts.map { "--map-entries=\($0)" }, in: directory.path)
    #expect(result.status == 64 && result.errors.contains("--map-entries"), "\(result.errors)")
  }
}
