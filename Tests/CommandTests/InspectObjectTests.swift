import JSONText
import LinuxSys
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
