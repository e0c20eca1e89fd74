import Testing

@testable import Linux

/// Temporary files and directories of runs that were killed.
@Suite struct LeftoversTests {
  let directory: String

  init() throws { directory = try Directory.createTemporary(prefix: "verity-bpf-leftovers") }

  private func write(_ name: String) throws {
    _ = try OwnedFD.open("\(directory)/\(name)", [.writeOnly, .create, .exclusive])
  }

  @Test func filesOfKilledRuns() throws {
    defer { Cleanup.remove(directory) }
    let others = ["out.tmp", "out.tmp-1", "out.tmp-a-2", "out.tmp-1-2.bak", "outer.tmp-1-2", "out-1-2"]
    for name in others + ["out.tmp-1-2", "out.tmp-99-4294967295"] { try write(name) }
    let first = try PendingFile(replacing: "\(directory)/out")
    let second = try PendingFile(replacing: "\(directory)/out")
    let names = try Directory.names(directory)
    #expect(Set(others).isSubset(of: names) && names.count == others.count + 2, "\(names)")
    try first.commit()
    try second.commit()
    #expect(try Directory.names(directory) == (others + ["out"]).sorted())
  }

  @Test func directoriesOfKilledRuns() throws {
    defer { Cleanup.remove(directory) }
    for name in [".x.verity-bpf-AbCdEf", ".x.verity-bpf-other-thing", ".x.verity-bpf-"] {
      try Directory.create("\(directory)/\(name)")
    }
    let held = try PrivateDirectory(prefix: ".x.verity-bpf", in: directory)
    let next = try PrivateDirectory(prefix: ".x.verity-bpf", in: directory)
    let names = try Directory.names(directory)
    #expect(names.contains(String(held.path.split(separator: "/").last ?? "")))
    #expect(names.contains(String(next.path.split(separator: "/").last ?? "")))
    #expect(!names.contains(".x.verity-bpf-AbCdEf") && names.contains(".x.verity-bpf-other-thing"))
  }

  /// Many runs at once take nothing from each other.
  @Test func runsAtOnce() throws {
    defer { Cleanup.remove(directory) }
    var pending: [String] = []
    for _ in 0..<50 {
      let file = try PendingFile(replacing: "\(directory)/out")
      pending.append(file.temporaryPath)
      let other = try PendingFile(replacing: "\(directory)/out")
      try file.commit()
      #expect((try? FileStatus.of(path: other.temporaryPath)) != nil)
    }
    #expect(Set(pending).count == 50)
    #expect(try Directory.names(directory) == ["out"])
  }
}
