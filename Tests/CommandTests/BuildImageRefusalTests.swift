import Base
import Linux
import TestSupport
import Testing

/// What `build-image` refuses, and that it leaves nothing behind.
@Suite struct BuildImageRefusalTests {
  /// A change of a valid object, and the code it must be refused with.
  struct BadObject: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    let change: @Sendable (inout [UInt8]) -> Void
  }

  static let badObjects: [BadObject] = [
    BadObject(testDescription: "empty", code: "object.not-elf") { $0 = [] },
    BadObject(testDescription: "text", code: "object.not-elf") { $0 = Array("not an object\n".utf8) },
    BadObject(testDescription: "big-endian", code: "object.big-endian") { $0[5] = 2 },
    BadObject(testDescription: "32-bit", code: "object.not-64-bit") { $0[4] = 1 },
    BadObject(testDescription: "another machine", code: "object.other-machine") { $0[18] = 62 },
    BadObject(testDescription: "an executable", code: "object.not-relocatable") { $0[16] = 2 },
    BadObject(testDescription: "cut", code: "object.") { $0.removeLast($0.count / 2) },
  ]

  /// The names in a directory that a failed build may not have added to.
  static func names(_ directory: TemporaryDirectory) throws -> [String] { try Directory.names(directory.path) }

  @Test(arguments: badObjects)
  func refusesWhatIsNoObject(bad: BadObject) throws {
    let directory = try BuildImageTests.sources()
    var object = try directory.read("progs/a.bpf.o")
    bad.change(&object)
    try directory.write("progs/net/bad.bpf.o", object)
    let before = try Self.names(directory)
    let result = try BuildImageTests.build(directory)
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(result.errors.contains("error[\(bad.code)"), "\(result.errors)")
    #expect(result.errors.contains("`progs/net/bad.bpf.o`") && result.errors.contains("\n  next "), "\(result.errors)")
    #expect(try Self.names(directory) == before)
    let json = try BuildImageTests.build(directory, ["--json"])
    #expect(try json.json()["error"]?["code"] != nil && json.status == 1)
  }

  @Test func namesEveryBadObject() throws {
    let directory = try BuildImageTests.sources()
    for name in ["x", "y", "z"] { try directory.write("progs/\(name).bpf.o", "text") }
    let result = try BuildImageTests.build(directory)
    for name in ["progs/x.bpf.o", "2 more", "y.bpf.o", "z.bpf.o"] { #expect(result.errors.contains(name)) }
  }

  @Test func refusesEmptyAndMissingDirectories() throws {
    let directory = try TemporaryDirectory()
    try Tools.run("mkdir", directory.file("progs"))
    let empty = try BuildImageTests.build(directory)
    #expect(empty.status == 1 && empty.errors.contains("error[build.nothing-to-pack]"))
    try directory.write("progs/README", "text")
    #expect(try BuildImageTests.build(directory).errors.contains("1 other files"))
    try Tools.run("rm", "-r", directory.file("progs"))
    let missing = try BuildImageTests.build(directory)
    #expect(missing.status == 1 && missing.errors.contains("error[system.not-found]"))
    #expect(missing.errors.contains("`progs`"))
    try directory.write("progs", "a file")
    let file = try BuildImageTests.build(directory)
    #expect(file.status == 1 && file.errors.contains("error[build.not-a-directory]"))
    #expect(try Self.names(directory) == ["progs"])
  }

  @Test func refusesReservedAndBadNames() throws {
    let directory = try BuildImageTests.sources()
    try Tools.run("mkdir", directory.file("progs/.verity-bpf"))
    try directory.write("progs/.verity-bpf/manifest.json", "{}")
    let result = try BuildImageTests.build(directory, ["--include=manifest.json"])
    #expect(result.status == 1 && result.errors.contains("error[build.bad-name]"))
    try Tools.run("sh", "-c", "printf x > \"$(printf '\(directory.path)/progs/\\377.bpf.o')\"")
    let other = try BuildImageTests.build(directory)
    #expect(other.status == 1 && other.errors.contains("error[build.bad-name]"), "\(other.errors)")
    for option in ["--name=a b", "--version=-1", "--name=../x"] {
      let labelled = try BuildImageTests.build(directory, [option])
      #expect(labelled.status == 64 && labelled.errors.contains("error[build.bad-label]"), "\(labelled.errors)")
    }
  }

  @Test func refusesPlacesThatCannotTakeTheResult() throws {
    let directory = try BuildImageTests.sources()
    let before = try Self.names(directory)
    for output in ["progs", "/dev/null", "missing/out.raw", ""] {
      let result = try BuildImageTests.build(directory, output: output)
      #expect(result.status == 64 || result.status == 1, "\(output)")
      #expect(result.errors.contains("error["), "\(output): \(result.errors)")
    }
    #expect(try FileStatus.of(path: "/dev/null").kind == .characterDevice)
    let twice = try BuildImageTests.build(directory, ["--manifest=out.raw"])
    #expect(twice.status == 64 && twice.errors.contains("error[build.bad-output]"))
    #expect(try Self.names(directory) == before)
    guard Tools.isRoot else { return print("an unwritable directory was not tried: that needs root") }
    try Tools.run("chmod", "-R", "a+rX,go-w", directory.path)
    let unwritable = try BuildImageTests.build(
      directory, wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    #expect(unwritable.status == 1 && unwritable.errors.contains("error[system.permission]"), "\(unwritable.errors)")
    #expect(unwritable.errors.contains("`out.raw`"), "\(unwritable.errors)")
    #expect(try Self.names(directory) == before)
  }

  @Test func replacesAnEarlierResultOnlyWhenItIsComplete() throws {
    let directory = try BuildImageTests.sources()
    #expect(try BuildImageTests.build(directory).status == 0)
    let image = try directory.read("out.raw")
    let rootHash = try directory.read("out.roothash")
    try directory.write("progs/bad.bpf.o", "text")
    #expect(try BuildImageTests.build(directory).status == 1)
    #expect(try directory.read("out.raw") == image && directory.read("out.roothash") == rootHash)
    try Tools.run("rm", directory.file("progs/bad.bpf.o"), directory.file("progs/a.bpf.o"))
    #expect(try BuildImageTests.build(directory).status == 0)
    #expect(try directory.read("out.raw") != image)
    #expect(try Self.names(directory) == ["out.raw", "out.roothash", "progs"])
  }

  @Test func aFullDiskLeavesNothing() throws {
    guard Tools.isRoot else { return print("a full disk was not tried: mounting a small tmpfs needs root") }
    let directory = try BuildImageTests.sources((0..<40).map { "net/\($0).bpf.o" })
    let small = directory.file("small")
    try Tools.run("mkdir", small)
    try Tools.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", small)
    defer { _ = try? Tools.run("umount", small) }
    let output = try BuildImageTests.build(directory, output: "small/out.raw")
    #expect(output.status == 1 && output.errors.contains("error[system.disk-full]"), "\(output.errors)")
    #expect(output.errors.contains("`small/out.raw`"), "\(output.errors)")
    #expect(try Directory.names(small) == [])
    #expect(try Self.names(directory) == ["progs", "small"])
  }

  /// A build that is told to stop, at several moments, leaves neither results nor temporary files.
  @Test(arguments: ["INT", "TERM"], [5, 20, 45, 80])
  func anInterruptedBuildLeavesNothing(signal: String, milliseconds: Int) throws {
    let directory = try BuildImageTests.sources((0..<600).map { "net/\($0).bpf.o" })
    try Tools.run("mkdir", directory.file("tmp"))
    let result = try BuildImageTests.build(
      directory,
      wrapper: [
        "env", "TMPDIR=\(directory.file("tmp"))", "timeout", "--signal=\(signal)",
        "0.\(milliseconds < 10 ? "00" : "0")\(milliseconds)",
      ])
    // 124 is timeout's own: the build had not ended by itself.
    #expect(result.status == 124 || result.status == 0, "\(result.status) \(result.errors)")
    if result.status == 124 { #expect(try Self.names(directory) == ["progs", "tmp"]) }
    #expect(try Directory.names(directory.file("tmp")) == [])
  }
}
