import Linux
import Testing

/// The demo's objects are the same wherever the sources lie, or its root hash could not be compared.
@Suite struct DemoBuildTests {
  @Test func equalSourcesGiveEqualObjectsAnywhere() throws {
    let elsewhere = try TemporaryDirectory()
    try run("cp", "-R", "\(repository)/images/demo", "\(elsewhere.path)/another name")
    try run("make", "-s", "-C", "\(elsewhere.path)/another name", "OUT=\(elsewhere.path)/out")
    let names = try Directory.names("\(elsewhere.path)/out")
    #expect(names.count >= 7)
    for name in names {
      let here = try Objects.bytes(Objects.demo(String(name.dropLast(".bpf.o".count))))
      #expect(try Objects.bytes("\(elsewhere.path)/out/\(name)") == here, "\(name)")
      let text = String(decoding: here, as: UTF8.self)
      #expect(!text.contains(repository) && !text.contains("/usr/"), "\(name) names a path of this machine")
    }
  }
}
