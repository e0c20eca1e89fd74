import BPFObject
import Linux
import Testing

@testable import Loader

/// What `unload` reads and takes away is what `load` makes, of one object and of several.
@Suite(.enabled(if: Machine.loads)) struct PinTreeTests {
  private func load(_ path: String, _ name: String = "shared_map") throws {
    var options = LoadOptions()
    options.pinPath = path
    var loaded = try ObjectLoader.load(Objects.linked(Objects.fixture(name)), options: options)
    loaded.commit()
  }

  private func own(_ path: String) throws -> [String] {
    try Directory.names(path).filter { $0 != "maps.debug" && $0 != "progs.debug" }
  }

  private func refusal(_ path: String) -> String? {
    do throws(UnloadError) {
      _ = try Unloading.unload(pinPath: path)
      return nil
    } catch {
      guard case .notOurs(_, let found) = error else { return "\(error)" }
      return found
    }
  }

  /// Objects of any name, also that of a kind, and what was made for all of them.
  @Test(arguments: [[""], ["/one", "/two"], ["/map", "/prog", "/link"], ["", "/map"], ["", "/other"]])
  func takesWhatLoadsLeave(objects: [String]) throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/site/all"
    for object in objects { try load("\(path)\(object)") }
    let tree = try PinTree(path)
    #expect(Set(tree.objects.map(\.path)) == Set(objects.map { "\(path)\($0)" }))
    #expect(tree.directories.last == path)
    let result = try Unloading.unload(pinPath: path)
    #expect(result.remaining == [] && result.removed == tree.pins)
    #expect(result.removed.count == 2 * objects.count)
    #expect(try own(files.path) == [], "what was made above it goes too")
  }

  /// A load that was killed has left directories, and no pins or not all of them.
  @Test(arguments: [[""], ["/prog"], ["/one"], ["/one/map"], ["/one", "/two/prog", "/two/link"]])
  func takesWhatKilledLoadsLeave(directories: [String]) throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/killed"
    try Directory.create(path, mode: 0o700)
    let parents = directories.flatMap { name in
      name.indices.filter { name[$0] == "/" }.dropFirst().map { String(name[..<$0]) }
    }
    for directory in Set(parents + directories).subtracting([""]).sorted() {
      try Directory.create("\(path)\(directory)", mode: 0o700)
    }
    #expect(try Unloading.unload(pinPath: path).remaining == [])
    #expect(try own(files.path) == [])
  }

  @Test(arguments: ["foreign", "one/foreign", "one/map/foreign", "one/map/map", "one/two/map"])
  func refusesWhatNoLoadLeaves(name: String) throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/all"
    try load("\(path)/one")
    try run("mkdir", "-p", "\(path)/\(name)")
    // Beside objects an empty directory is what a load has left that was killed.
    if name == "foreign" { try Directory.create("\(path)/\(name)/deep") }
    let before = try run("find", path)
    let found = try #require(refusal(path))
    #expect(found.contains("also `\(name == "one/two/map" ? "one/two" : name)"), "\(found)")
    #expect(try run("find", path) == before)
  }

  @Test func refusesTheRootOfTheFileSystem() throws {
    let files = try MountedFileSystem("bpf")
    try load("\(files.path)/one")
    #expect(refusal(files.path) == "the root of the BPF file system")
    #expect(try own(files.path) == ["one"])
  }

  /// What others have made above it has other permissions, or something in it.
  @Test func leavesTheDirectoriesOfOthers() throws {
    let files = try MountedFileSystem("bpf")
    try Directory.create("\(files.path)/site", mode: 0o755)
    try load("\(files.path)/site/deep/one")
    try load("\(files.path)/site/two")
    for name in ["deep/one", "two"] { _ = try Unloading.unload(pinPath: "\(files.path)/site/\(name)/") }
    #expect(try own(files.path) == ["site"] && Directory.names("\(files.path)/site") == [])
  }
}
