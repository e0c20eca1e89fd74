import Base
import TestSupport
import Testing

/// The capabilities that `inspect` names are enough for each object, and none of them is too much: the kernel says so.
@Suite(.serialized, .enabled(if: Tools.isRoot, "capabilities are given up by root"))
struct CapabilityTests {
  /// Loads as a user who has these capabilities and no others.
  private func load(
    _ object: String, _ capabilities: [String], in directory: TemporaryDirectory, dryRun: Bool = false
  ) throws -> VerityBPFCommand.Result {
    let list = (["-all"] + capabilities.map { "+" + $0.dropFirst(4).lowercased() }).joined(separator: ",")
    return try VerityBPFCommand.run(
      ["load", "--object", object, "--policy", "all.pol", "--audit-dir", "audit"] + (dryRun ? ["--dry-run"] : []),
      in: directory.path,
      wrapper: [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=\(list)",
        "--ambient-caps=\(list)",
      ])
  }

  private func prepared() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try directory.write("all.pol", "policy_name=all policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    try Tools.run("mkdir", "-m", "700", directory.file("audit"))
    try Tools.run("chown", "65534:65534", directory.file("audit"))
    try Tools.run("chmod", "755", directory.path)
    return directory
  }

  private func expectExact(_ object: String, in directory: TemporaryDirectory) throws {
    let inspected = try VerityBPFCommand.run(["inspect", object, "--json"], in: directory.path)
    guard case .array(let programs)? = try inspected.json()["programs"] else { return }
    var named: Set<String> = []
    for program in programs {
      guard case .array(let names)? = program["capabilities"] else { continue }
      for case .string(let name) in names { named.insert(name) }
    }
    let loaded = try load(object, named.sorted(), in: directory)
    #expect(loaded.status == 0, "\(object) with \(named): \(loaded.errors)")
    let rehearsed = try load(object, named.sorted(), in: directory, dryRun: true)
    #expect(rehearsed.status == 0, "\(object) with \(named): \(rehearsed.errors)")
    for name in named {
      let fewer = named.subtracting([name]).sorted()
      for dryRun in [false, true] {
        let refused = try load(object, fewer, in: directory, dryRun: dryRun)
        #expect(refused.status == 5 && refused.errors.contains(name), "\(object) without \(name): \(refused.errors)")
      }
    }
  }

  @Test func ofTheDemo() throws {
    let directory = try prepared()
    try Tools.buildDemo(into: directory.file("progs"))
    try Tools.run("chmod", "-R", "a+rX", directory.file("progs"))
    for name in LoadTests.programs {
      try expectExact("progs/\(name).bpf.o", in: directory)
    }
  }
}
