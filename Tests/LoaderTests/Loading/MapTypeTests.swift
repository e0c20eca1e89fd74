import BPFObject
import Linux
import TestSupport
import Testing

@testable import Loader

/// Every map type that can be declared is created as bpftool (libbpf) creates it.
@Suite(.enabled(if: Machine.loads)) struct MapTypeTests {
  @Test func mapsAreThoseOfBpftool() throws {
    let files = try MountedFileSystem("bpf")
    let path = try Objects.fixture("map_types")
    var options = LoadOptions()
    options.pinPath = "\(files.path)/ours"
    var object = try ObjectLoader.load(Objects.linked(path), options: options)
    object.commit()
    let theirs = try Subprocess.run([
      "bpftool", "prog", "loadall", path, "\(files.path)/theirs", "pinmaps", "\(files.path)/maps",
    ])
    try #require(theirs.status == 0, "\(theirs.text)")
    let names = try Directory.names("\(files.path)/maps")
    #expect(names.count == 34 && object.maps.count == 34)
    for name in names {
      let ours = try shown("\(files.path)/ours/map/\(name)")
      #expect(try ours == shown("\(files.path)/maps/\(name)") && ours.contains { $0.hasPrefix("\"type\"") }, "\(name)")
    }
  }

  /// bpftool's words about a map, without what is another for every map and load.
  private func shown(_ pin: String) throws -> [String] {
    try run("bpftool", "-j", "map", "show", "pinned", pin).split(separator: ",").map { String($0) }.filter { member in
      !["\"id\"", "{\"id\"", "\"btf_id\"", "\"pinned\"", "\"bytes_memlock\"", "\"pids\""].contains {
        member.hasPrefix($0)
      }
    }
  }
}
