import Base
import Linux
import TestSupport
import Testing

/// `inspect` of an object, as a user runs it.
@Suite struct InspectObjectTests {
  private static func demo() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try Tools.buildDemo(into: directory.file("progs"))
    return directory
  }

  @Test func describesProgramsAndMaps() throws {
    let directory = try Self.demo()
    let path = directory.file("progs/xdp_counter.bpf.o")
    let digest = try Tools.run("sha256sum", path).prefix(64)
    let result = try VerityBPFCommand.run(["inspect", path])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map { String($0) }
    #expect(lines.first == "object   xdp_counter.bpf.o  sha256:\(digest)")
    #expect(lines.contains { $0.hasPrefix("program  ") && $0.contains("xdp") })
    #expect(lines.contains { $0.hasPrefix("  helpers ") && $0.contains("bpf_map_lookup_elem#1") })
    #expect(lines.contains { $0.hasPrefix("  needs ") && $0.contains("CAP_BPF, CAP_NET_ADMIN") })
    #expect(lines.contains { $0.hasPrefix("map      ") })
  }

  /// Every demo object is one JSON object with the members that scripts rely on.
  @Test func writesJSON() throws {
    let directory = try Self.demo()
    for name in try Directory.names(directory.file("progs")) where name.hasSuffix(".bpf.o") {
      let result = try VerityBPFCommand.run(["inspect", "--json", directory.file("progs/\(name)")])
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      let json = try result.json()
      #expect(json["schema"] == "verity-bpf/inspect/1" && json["kind"] == "object" && json["gpl_compatible"] == true)
      guard case .array(let programs) = json["programs"], let program = programs.first else {
        Issue.record("\(name) has no programs")
        continue
      }
      for member in ["name", "section", "type", "helpers", "maps", "core_relocations", "capabilities", "lockdown"] {
        #expect(program[member] != nil, "\(name): \(member)")
      }
      #expect(program["lockdown"]?["none"]?["loads"] == true)
    }
  }

  /// With a kernel's types at hand, it is known beforehand which relocations that kernel cannot resolve.
  @Test func asksAKernelAboutRelocations() throws {
    let directory = try Self.demo()
    let path = directory.file("progs/task_list.bpf.o")
    let kernel = ["--kernel-btf", "/sys/kernel/btf/vmlinux"]
    let text = try VerityBPFCommand.run(["inspect", path] + kernel)
    #expect(text.status == 0 && !text.output.contains("missing"), "\(text.errors)\(text.output)")
    let json = try VerityBPFCommand.run(["inspect", "--json", path] + kernel).json()
    guard case .array(let programs) = json["programs"], case .array(let records) = programs.first?["core_relocations"]
    else {
      Issue.record("no relocations")
      return
    }
    #expect(!records.isEmpty && records.allSatisfy { $0["in_kernel"] == true })
    // Any section of that format will do, also the object's own.
    try Tools.run("llvm-objcopy", "--dump-section", ".BTF=\(directory.file("own.btf"))", path, directory.file("copy.o"))
    let own = try VerityBPFCommand.run(["inspect", path, "--kernel-btf", directory.file("own.btf")])
    #expect(own.status == 0, "\(own.errors)")
    let wrong = try VerityBPFCommand.run(["inspect", path, "--kernel-btf", path])
    #expect(wrong.status == 1 && wrong.errors.hasPrefix("error[object.malformed-btf]"), "\(wrong.errors)")
  }

  /// No privilege is needed, and none is used: no bpf(2), nothing opened but the object.
  @Test(.enabled(if: Tools.isRoot, "dropping privileges needs root"))
  func needsNoPrivilege() throws {
    let directory = try Self.demo()
    try Tools.run("chmod", "-R", "a+rX", directory.path)
    let path = directory.file("progs/task_list.bpf.o")
    let dropped = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    let binary = directory.file("verity-bpf")
    try Tools.run("install", "-m", "755", VerityBPFCommand.path, binary)
    let script = "exec \"$@\" >'\(directory.file("out"))'"
    let result = try Subprocess.run(["sh", "-c", script, "sh"] + dropped + [binary, "inspect", path])
    #expect(result.status == 0, "\(result.text)")
    #expect(String(decoding: try directory.read("out"), as: UTF8.self).contains("bpf_iter_task"))
  }

  @Test func refusesWithWhatToDo() throws {
    let directory = try TemporaryDirectory()
    try directory.write("short.o", [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] as [UInt8])
    let result = try VerityBPFCommand.run(["inspect", directory.file("short.o")])
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("error[object.truncated]: "), "\(result.errors)")
    let json = try VerityBPFCommand.run(["inspect", "--json", directory.file("short.o")])
    #expect(try json.json()["error"]?["code"] == "object.truncated" && json.status == 1)
  }
}
