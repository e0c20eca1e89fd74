import KernelABI
import BPFObject
import Base
import Linux
import Testing

@testable import Loader

/// LIBBPF_PIN_BY_NAME: a map that is pinned already is used when it is of the same kind, and refused otherwise.
@Suite(.enabled(if: Machine.loads)) struct SharedMapTests {
  private let packet = Packet.ethernet(0x0800, Packet.ipv4(6, to: 80))

  private func load(_ path: String, program: String) throws -> LoadedObject {
    let linked = try Objects.linked(Objects.fixture("shared_map"))
    var programs = linked.programs
    programs[0].name = program
    var options = LoadOptions()
    options.pinPath = path
    return try ObjectLoader.load(
      LinkedObject(license: linked.license, btf: linked.btf, maps: linked.maps, programs: programs), options: options)
  }

  @Test func twoLoadsShareOneMap() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/acme"
    var first = try load(path, program: "first")
    first.commit()
    do {
      let second = try load(path, program: "second")
      #expect(first.maps.map(\.id) == second.maps.map(\.id))
      for object in [try first.program("first"), try second.program("second")] {
        _ = try BPF.testRun(object, packet: packet)
      }
      #expect(try number(BPF.lookup(second.map("shared"), key: bytes(UInt32(0)), valueSize: 8)) == 2)
      _ = consume second
    }
    // The second load is undone; the map was not its own.
    #expect(try Directory.names("\(path)/map") == ["shared"] && Directory.names("\(path)/prog") == ["first"])
  }

  @Test func refusesAMapOfAnotherKind() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/acme"
    try Directory.create(path)
    try Directory.create("\(path)/map")
    let other = try BPF.createMap(BPF.MapAttributes(type: .array, keySize: 4, valueSize: 8, maxEntries: 5))
    try BPF.pin(other, at: "\(path)/map/shared")
    var options = LoadOptions()
    options.pinPath = path
    let told = try Objects.refusal(Objects.linked(Objects.fixture("shared_map")), options: options).diagnostic
    #expect(told.code == "load.shared-map" && told.expected?.contains("max_entries 4") == true)
    #expect(told.found?.contains("max_entries 5") == true)
    #expect(try Directory.names(path) == ["map"] && Directory.names("\(path)/map") == ["shared"])
  }

  /// Each attribute that libbpf compares, one of them different.
  @Test func comparesWhatLibbpfCompares() throws {
    let attributes = BPF.MapAttributes(type: .bloomFilter, keySize: 0, valueSize: 8, maxEntries: 64)
    let shape = MapShape(attributes)
    #expect(shape.isSatisfied(by: shape))
    let changes: [(inout MapShape) -> Void] = [
      { $0.type = 2 }, { $0.keySize = 4 }, { $0.valueSize = 4 }, { $0.maxEntries = 1 }, { $0.flags = 1024 },
      { $0.extra = 5 },
    ]
    for change in changes {
      var other = shape
      change(&other)
      #expect(!shape.isSatisfied(by: other), "\(other)")
    }
    // The kernel tells map_extra, and adds a flag of its own to device maps.
    var hashed = attributes
    hashed.extra = 3
    let three = try BPF.mapInfo(BPF.createMap(hashed))
    #expect(MapShape(hashed).isSatisfied(by: MapShape(three)) && !shape.isSatisfied(by: MapShape(three)))
    #expect(MapShape(three).description.hasSuffix("map_extra 0x3"))
    let devices = BPF.MapAttributes(type: .devmap, keySize: 4, valueSize: 4, maxEntries: 2)
    #expect(try MapShape(devices).isSatisfied(by: MapShape(BPF.mapInfo(BPF.createMap(devices)))))
  }
}
