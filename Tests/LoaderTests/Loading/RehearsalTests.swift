import BPFObject
import Base
import KernelABI
import Linux
import Testing

@testable import Loader

/// A rehearsal refuses what a load would, by the same code, and makes nothing.
@Suite(.enabled(if: Machine.loads)) struct RehearsalTests {
  private func refusal(_ linked: LinkedObject, _ options: LoadOptions) -> BPFLoadError? {
    do throws(BPFLoadError) {
      _ = try ObjectLoader.rehearse(linked, options: options)
      return nil
    } catch {
      return error
    }
  }

  private func expectSame(
    _ linked: LinkedObject, _ options: LoadOptions, code: String, location: SourceLocation = #_sourceLocation
  ) throws {
    let load = try Objects.refusal(linked, options: options).diagnostic
    let rehearsal = try #require(refusal(linked, options)?.diagnostic, sourceLocation: location)
    #expect(load.code == code && rehearsal.code == code, "\(load) \(rehearsal)", sourceLocation: location)
    #expect(load.category == rehearsal.category && rehearsal.next != nil, sourceLocation: location)
  }

  @Test func ofPins() throws {
    let files = try MountedFileSystem("bpf")
    let elsewhere = try TemporaryDirectory()
    let linked = try Objects.linked(Objects.demo("xdp_counter"))
    var options = LoadOptions()
    for path in [elsewhere.path, "\(elsewhere.path)/new", files.path, "\(files.path)/a/../b"] {
      options.pinPath = path
      try expectSame(linked, options, code: "load.pin-path")
    }
    options.pinPath = "\(files.path)/x"
    #expect(refusal(linked, options) == nil)
    #expect(try Directory.names(files.path).filter { !$0.hasSuffix(".debug") } == [])
    var object = try ObjectLoader.load(linked, options: options)
    object.commit()
    try expectSame(linked, options, code: "load.pin")
    options.pinPath = "\(files.path)/x/prog/xdp_counter/y"
    try expectSame(linked, options, code: "load.pin-path")
    _ = try Unloading.unload(pinPath: "\(files.path)/x")
  }

  @Test func ofPlaces() throws {
    let elsewhere = try TemporaryDirectory()
    var options = LoadOptions()
    options.attaches = true
    options.interface = "no-such0"
    try expectSame(Objects.linked(Objects.demo("xdp_counter")), options, code: "load.no-such-place")
    options.interface = "lo"
    #expect(refusal(try Objects.linked(Objects.demo("xdp_counter")), options) == nil)
    options.interface = nil
    for cgroup in [elsewhere.path, "\(elsewhere.path)/absent"] {
      options.cgroup = cgroup
      try expectSame(Objects.linked(Objects.demo("egress_filter")), options, code: "load.no-such-place")
    }
  }

  @Test func ofTargetsAndMaps() throws {
    try expectSame(Objects.linked(Objects.fixture("no_target")), LoadOptions(), code: "load.no-attach-target")
    var linked = try Objects.linked(Objects.demo("tcx_classifier"))
    var maps = linked.maps
    let declared = try #require(maps.firstIndex { $0.origin == .declared })
    maps[declared].maxEntries = 0
    linked = LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: linked.programs)
    try expectSame(linked, LoadOptions(), code: "load.map-without-size")
    maps[declared].maxEntries = 4
    maps[declared].pinsByName = true
    linked = LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: linked.programs)
    try expectSame(linked, LoadOptions(), code: "load.pin-by-name")
  }

  /// What is left to the kernel is said.
  @Test func saysWhatItDoesNotKnow() throws {
    let unknown = try ObjectLoader.rehearse(Objects.linked(Objects.fixture("refused_access")), options: LoadOptions())
    #expect(unknown.contains { $0.contains("verifier") })
    var options = LoadOptions()
    options.attaches = true
    let attached = try ObjectLoader.rehearse(Objects.linked(Objects.demo("exec_logger")), options: options)
    #expect(attached.contains { $0.contains("exec_logger") }, "\(attached)")
  }
}
