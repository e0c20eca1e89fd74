import Base
import Linux
import TestSupport
import Testing

/// What the answer and the audit record say of a load: where it is attached, what is pinned, and which instructions
/// were filled in after the proof.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and mounting need root"))
final class AttachmentTests {
  let directory: TemporaryDirectory
  let image: ForeignImage
  let policy: String
  let pins: String

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.run(
      "make", "-s", "-C", "\(Tools.repository)/Tests/Fixtures/bpf-load", "-f",
      "\(Tools.repository)/images/demo/Makefile", "OUT=\(directory.file("objects"))", "CPPFLAGS=-DPREFIX=answer")
    image = try ForeignImage.build(directory.file("objects"), at: directory.file("objects.raw"))
    policy = try directory.write("test.pol", image.policy)
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func load(_ object: String, _ options: [String] = []) throws -> JSONValue {
    let result = try VerityBPFCommand.run(
      [
        "load", "--image", image.path, "--object", "\(object).bpf.o", "--policy", policy, "--audit-dir",
        directory.file("audit"), "--json",
      ] + options)
    try #require(result.status == 0, "\(result.errors)")
    return try result.json()
  }

  private func records() throws -> [JSONValue] {
    try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
  }

  /// The instructions of a section that refer to symbols the object does not define, as llvm-readobj or readelf
  /// lists them.
  private func undefinedReferences(_ object: String, section: String) throws -> Set<String> {
    let listing = try Tools.run("readelf", "--wide", "--relocs", "--symbols", directory.file("objects/\(object).bpf.o"))
    let lines = listing.split(separator: "\n").map { String($0) }
    // `     9: 0000000000000000     0 NOTYPE  GLOBAL DEFAULT  UND bpf_rcu_read_lock`
    let undefined = Set(
      lines.compactMap { line -> Substring? in
        let words = line.split(separator: " ")
        return words.count == 8 && words[6] == "UND" ? words[7] : nil
      })
    var references: Set<String> = []
    var isWanted = false
    for line in lines {
      if line.hasPrefix("Relocation section") { isWanted = line.contains("'.rel\(section)'") }
      let words = line.split(separator: " ")
      guard isWanted, words.count >= 5, undefined.contains(words[4]), let offset = Int(words[0], radix: 16) else {
        continue
      }
      references.insert("\(offset / 8) \(words[4])")
    }
    return references
  }

  @Test(arguments: [
    ("kernel_function", "raw_tp/sched_process_exec"), ("kernel_values", "xdp"),
  ])
  func listsExactlyTheInstructionsThatWereFilledIn(object: String, section: String) throws {
    let expected = try undefinedReferences(object, section: section)
    try #require(!expected.isEmpty)
    let answer = try load(object)
    let decision = try #require(try records().first { $0["stage"] == "decision" })
    #expect(decision["kernel_edits"] == answer["kernel_edits"])
    guard case .array(let edits)? = answer["kernel_edits"] else {
      Issue.record("no list")
      return
    }
    let instructions = edits.compactMap { edit -> String? in
      guard case .integer(let index)? = edit["instruction"], case .string(let name)? = edit["name"] else { return nil }
      return "\(index) \(name)"
    }
    // Configuration goes into a map, not into an instruction, though the symbols are undefined as well.
    let options = edits.filter { $0["value"] == "configuration" }.compactMap { $0["name"] }
    let patched = expected.filter { reference in
      !options.contains(.string(String(reference.split(separator: " ")[1])))
    }
    #expect(Set(instructions) == patched && instructions.count == patched.count)
    #expect(edits.allSatisfy { $0["address"] == nil }, "names and places, never values")
  }

  @Test func saysWhereItIsAttachedAndWhatIsPinned() throws {
    let pin = "\(pins)/events"
    let answer = try load(
      "probes_one", ["--attach", "--target", "/lib/x86_64-linux-gnu/libc.so.6:getppid", "--pin-path", pin])
    let attached: JSONValue = [
      [
        "program": "on_call", "place": "/lib/x86_64-linux-gnu/libc.so.6:getppid",
        "pin": .string("\(pin)/link/on_call"),
      ]
    ]
    #expect(answer["attachments"] == attached)
    guard case .array(let paths)? = answer["pins"] else {
      Issue.record("no pins")
      return
    }
    // Every file below the directory, and nothing else.
    let found = try Tools.run("find", pin, "!", "-type", "d").split(separator: "\n").map {
      JSONValue.string(String($0))
    }
    #expect(paths.count == found.count && found.allSatisfy { paths.contains($0) }, "\(found)")
    let outcome = try #require(try records().last)["outcome"]
    #expect(outcome?["attachments"] == attached && outcome?["pins"] == answer["pins"])
    #expect(outcome?["boot_id"] == .string(try Tools.run("cat", "/proc/sys/kernel/random/boot_id").trimmed))
    #expect(try Tools.run("bpftool", "link", "show", "pinned", "\(pin)/link/on_call").contains("perf_event"))
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
  }

  @Test func unregistersStructuresOnUnload() throws {
    let pin = "\(pins)/tcp"
    let answer = try load("congestion", ["--attach", "--pin-path", pin])
    guard case .array(let attachments)? = answer["attachments"] else {
      Issue.record("no attachments")
      return
    }
    #expect(attachments.map { $0["program"] } == ["by_link", "by_map"])
    #expect(attachments.last?["pin"] == .string("\(pin)/map/by_map"))
    let available = "/proc/sys/net/ipv4/tcp_available_congestion_control"
    #expect(try Tools.run("cat", available).contains("answer_by_map"))
    let unloaded = try VerityBPFCommand.run(["unload", "--pin-path", pin, "--json"])
    #expect(unloaded.status == 0, "\(unloaded.errors)")
    #expect(try unloaded.json()["unregistered"] == [.string("\(pin)/map/by_map")])
    for _ in 0..<100 where try Tools.run("cat", available).contains("answer_by") { try Tools.run("sleep", "0.05") }
    #expect(try !Tools.run("cat", available).contains("answer_by"))
  }
}
