import Base
import Glibc
import Linux
import TestSupport
import Testing

/// `load --link helper`: what users see of it, and what is left when it goes wrong.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading needs root")) struct LinkHelperCommandTests {
  let directory: TemporaryDirectory

  /// An image with objects of one program each, which stays with its packet.
  init() throws {
    directory = try TemporaryDirectory()
    try Directory.create(directory.file("progs"))
    try directory.write(
      "o.bpf.c",
      """
      #include "vbpf.h"
      const volatile __u32 limit = 3;
      __u32 counter;
      __attribute__((noinline)) int count(__u32 value) { return counter += value; }
      SEC("xdp") int f(struct xdp_md *context) { return count(limit) > 7 ? 2 : 1; }
      char LICENSE[] SEC("license") = "GPL";
      """)
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Tools.repository)/images/demo/include", "-c",
      directory.file("o.bpf.c"), "-o", directory.file("progs/o.bpf.o"))
    for number in 0..<30 {
      try Tools.run("cp", directory.file("progs/o.bpf.o"), directory.file("progs/\(number).bpf.o"))
    }
    let built = try VerityBPFCommand.run(["build-image", "progs", "-o", "i.raw"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
    try Directory.create(directory.file("bin"))
    try Tools.run("cp", VerityBPFCommand.path, directory.file("bin/verity-bpf"))
  }

  private func put(_ helper: String) throws {
    let built = VerityBPFCommand.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    try Tools.run("cp", built.joined(separator: "/") + "/\(helper)", directory.file("bin/verity-bpf-link"))
  }

  private func arguments(_ more: [String], rule: String = "") throws -> [String] {
    try directory.write(
      "p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule)action=ALLOW\n")
    return ["load", "--policy", "p.pol", "--audit-dir", "audit"] + more
  }

  private func load(_ more: String..., rule: String = "") throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(arguments(more, rule: rule), in: directory.path)
  }

  private let inImage = ["--image", "i.raw", "--object", "o.bpf.o"]

  private func records() throws -> [JSONValue] {
    try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  @Test func theRecordSaysWhichWay() throws {
    for method in ["in-process", "helper"] {
      let result = try load("--image", "i.raw", "--object", "o.bpf.o", "--link", method)
      #expect(result.status == 0, "\(result.errors)")
    }
    let decisions = try records().filter { $0["stage"] == "decision" }
    #expect(decisions.map { $0["link"] } == ["in-process", "helper"])
    // The facts of an object whose manifest and helper say the same are those that this process finds.
    #expect(decisions[0]["facts"] == decisions[1]["facts"])
    let loaded = try records().filter { $0["stage"] == "outcome" }
    #expect(loaded[0]["outcome"]?["programs"] != nil)
  }

  /// Without a manifest the helper's word on a class counts for nothing.
  @Test func aClassNeedsTheManifest() throws {
    let rule = "x_class=RESTRICTED "
    for (method, expected) in [("in-process", 0), ("helper", 2)] {
      #expect(try load("--object", "progs/o.bpf.o", "--link", method, rule: rule).status == expected, "\(method)")
      #expect(try load("--image", "i.raw", "--object", "o.bpf.o", "--link", method, rule: rule).status == 0)
    }
  }

  @Test func whatNeedsTypesIsRefused() throws {
    for options in [["--set", "limit=4"], ["--resolve-core", "user"]] {
      let result = try VerityBPFCommand.run(
        arguments(["--image", "i.raw", "--object", "o.bpf.o", "--link", "helper"] + options), in: directory.path)
      #expect(result.status == 6 && result.errors.contains("helper.option"), "\(result.errors)")
    }
    #expect(try records().filter { $0["stage"] == "outcome" }.allSatisfy { $0["outcome"]?["code"] == "helper.option" })
  }

  /// Thirty objects, each with another lie: none is loaded otherwise than it is without a helper.
  @Test func aHelperThatLiesLoadsNothingElse() throws {
    try put("lying-helper")
    let objects = (0..<30).flatMap { ["--object", "\($0).bpf.o"] }
    let honest = try VerityBPFCommand.run(
      arguments(["--image", "i.raw", "--json", "--object", "o.bpf.o"]), in: directory.path)
    let tag = try honest.json()["programs"]?.items.first?["tag"]
    let result = try Subprocess.run(
      ["sh", "-c", "cd '\(directory.path)' && exec \"$@\"", "sh", directory.file("bin/verity-bpf")]
        + arguments(["--image", "i.raw", "--link", "helper"] + objects))
    #expect(result.status == 1)
    let outcomes = try records().filter { $0["stage"] == "outcome" }.dropFirst()
    #expect(outcomes.count == 30)
    for outcome in outcomes.compactMap({ $0["outcome"] }) {
      if outcome["result"] == "loaded" {
        #expect(outcome["programs"]?.items.first?["tag"] == tag)
      } else {
        let code = try #require(outcome["code"])
        #expect(["helper.protocol", "object.bad-map", "load.map-refused"].contains(code), "\(code)")
      }
    }
    #expect(outcomes.contains { $0["outcome"]?["code"] == "helper.protocol" })
  }

  /// The helper, or both, killed at many moments: each attempt is closed, and no process is left.
  @Test func killedAtAnyMoment() throws {
    try put("verity-bpf-link")
    let count = Int(Environment.value("VERITY_BPF_HELPER_KILLS") ?? "") ?? 60
    let objects = (0..<30).flatMap { ["--object", "\($0).bpf.o"] }
    let script = """
      cd "$DIR"; i=0
      while [ $i -lt \(count) ]; do
        "$@" > /dev/null 2>&1 & load=$!
        sleep 0.0$(printf %02d $((i % 60)))
        children=$(cat /proc/$load/task/*/children 2> /dev/null)
        [ $((i % 3)) = 0 ] || for child in $children; do kill -9 $child 2> /dev/null; done
        [ $((i % 3)) = 1 ] || kill -9 $load 2> /dev/null
        wait $load 2> /dev/null
        i=$((i + 1))
      done
      "$@" > /dev/null
      """
    let status = try Subprocess.run(
      ["env", "DIR=\(directory.path)", "sh", "-c", script, "sh", directory.file("bin/verity-bpf")]
        + arguments(["--image", "i.raw", "--link", "helper"] + objects)
    ).status
    #expect(status == 0)
    let records = try records()
    let attempts = records.filter { $0["stage"] == "attempt" }.compactMap { $0["event"] }
    let outcomes = records.filter { $0["stage"] == "outcome" }.compactMap { $0["event"] }
    #expect(attempts.count > count && Set(attempts.map(\.compact)) == Set(outcomes.map(\.compact)))
    #expect(outcomes.count == attempts.count)
    let codes = Set(records.compactMap { $0["outcome"]?["code"]?.compact })
    #expect(codes.isSubset(of: ["\"helper.protocol\""]), "\(codes)")
    // No program is pinned, so none stays; and no helper lives on without its loader.
    var left: [String] = []
    for _ in 0..<50 {
      left = try Directory.names("/proc").filter { name in
        (try? Tools.run("readlink", "/proc/\(name)/exe"))?.hasPrefix(directory.file("bin/")) == true
      }
      if left.isEmpty { break }
      usleep(100_000)
    }
    #expect(left.isEmpty, "\(left)")
  }
}

extension JSONValue {
  fileprivate var items: [JSONValue] {
    guard case .array(let items) = self else { return [] }
    return items
  }
}
