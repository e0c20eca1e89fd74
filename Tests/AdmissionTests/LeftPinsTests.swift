import Linux
import TestSupport
import Testing

@testable import Admission

/// Which pins a load has left that crashed.
@Suite(.serialized, .enabled(if: Tools.isRoot, "not root: nothing can be pinned"))
final class LeftPinsTests {
  private let directory: TemporaryDirectory
  private let pins: String

  init() throws {
    directory = try TemporaryDirectory()
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
  }

  deinit { _ = try? Tools.run("umount", "--lazy", pins) }

  private func pin(_ path: String) throws {
    let parent = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    try Tools.run("mkdir", "-p", "\(pins)\(parent)")
    try Tools.run(
      "bpftool", "map", "create", "\(pins)/\(path)", "type", "array", "key", "4", "value", "4", "entries", "1", "name",
      "m")
  }

  @Test func thoseThatWereMadeSinceAndAreNobodysByTheRecord() throws {
    try pin("a/map/old")
    try Tools.run("sleep", "0.1")
    let start = Timestamp.now()
    func left(_ claimed: Set<String> = [], below path: String? = nil) -> LeftPins {
      LeftPins(below: path ?? "\(pins)/", of: 7, since: start, claimed: claimed)
    }
    #expect(left().pins.isEmpty && left().directories.isEmpty)
    for path in ["a/map/new", "b/map/one", "b/prog/two", "c/map/three"] { try pin(path) }
    let all = ["a/map/new", "b/map/one", "b/prog/two", "c/map/three"].map { "\(pins)/\($0)" }
    #expect(left().pins == all)
    // One directory holds another load's pin, and is not for `unload`.
    #expect(left().directories == ["\(pins)/b", "\(pins)/c"])
    let claimed = left(["\(pins)/b/prog/two", "\(pins)/c/map/three"])
    #expect(claimed.pins == [all[0], all[1]] && claimed.directories.isEmpty)
    let run = CrashedRun(name: "1.2-3", objects: [], pins: all, directories: ["\(pins)/b", "\(pins)/c"])
    #expect(
      run.removal == [
        "verity-bpf unload --pin-path \(pins)/b", "verity-bpf unload --pin-path \(pins)/c", "rm \(all[0])",
      ])
    #expect(left(below: "\(pins)/b").directories == ["\(pins)/b"])
    // What the run was to exchange, or had exchanged, is its own whatever its age; what another run was to is not.
    try Tools.run("mv", "\(pins)/a/map/old", "\(pins)/old")
    try Tools.run("mkdir", "-p", "\(pins)/d_replaced_7/map", "\(pins)/d_replaced_8/map")
    try Tools.run("mv", "\(pins)/old", "\(pins)/d_replaced_7/map/old")
    let own = "\(pins)/d_replaced_7"
    #expect(left(["\(own)/map/old"]).pins == all + ["\(own)/map/old"])
    #expect(left(below: "\(pins)/d").directories == [own], "beside the place of one object")
    try Tools.run("mv", "\(own)/map/old", "\(pins)/d_replaced_8/map/old")
    #expect(left(below: "\(pins)/d").pins == [])
    try Tools.run("rm", "-r", own, "\(pins)/d_replaced_8")
    // Nothing is said of files that are no pins.
    try directory.write("plain", "x")
    #expect(left(below: directory.path).pins.isEmpty && left(below: "\(pins)/none").pins.isEmpty)
    #expect(left(below: "bpf").pins.isEmpty, "where a relative path leads is not known")
  }
}
