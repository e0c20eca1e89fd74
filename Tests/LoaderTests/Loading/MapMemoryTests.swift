import KernelABI
import Base
import Testing

@_spi(ProgramLoading) import Linux
@testable import Loader
@testable import BPFAnalysis
@testable import BPFObject

/// What a full map takes is held against what the kernel says that it took.
@Suite(.enabled(if: Machine.loads)) struct MapMemoryTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let type: String
    let key: UInt32
    let value: UInt32
    let entries: UInt32
    var testDescription: String { "\(type) \(key)/\(value) x \(entries)" }
  }

  @Test(arguments: [
    Shape(type: "array", key: 4, value: 1, entries: 4096), Shape(type: "array", key: 4, value: 100, entries: 1000),
    Shape(type: "percpu_array", key: 4, value: 8, entries: 4096),
    Shape(type: "hash", key: 1, value: 1, entries: 4097), Shape(type: "hash", key: 17, value: 250, entries: 3000),
    Shape(type: "lru_hash", key: 4, value: 4, entries: 5000),
    Shape(type: "percpu_hash", key: 4, value: 8, entries: 4096),
    Shape(type: "lru_percpu_hash", key: 4, value: 8, entries: 4096),
    Shape(type: "queue", key: 0, value: 7, entries: 9000), Shape(type: "stack", key: 0, value: 9, entries: 9000),
    Shape(type: "ringbuf", key: 0, value: 0, entries: 1 << 20),
    Shape(type: "bloom_filter", key: 0, value: 8, entries: 33_000),
    Shape(type: "perf_event_array", key: 4, value: 4, entries: 4096),
    Shape(type: "xskmap", key: 4, value: 4, entries: 4096),
    Shape(type: "reuseport_sockarray", key: 4, value: 8, entries: 4096),
    Shape(type: "devmap", key: 4, value: 8, entries: 4096),
  ])
  func isNoLessThanTheKernelTakes(shape: Shape) throws {
    let type = try #require(MapType(name: shape.type))
    var map = LinkedMap(origin: .declared, name: "m", type: type)
    map.keySize = shape.key
    map.valueSize = shape.value
    map.maxEntries = shape.entries
    let processors = shape.type.contains("percpu") ? UInt64(try #require(KernelSettings.possibleProcessors())) : 1
    var attributes = BPF.MapAttributes(
      type: map.type, keySize: shape.key, valueSize: shape.value, maxEntries: shape.entries)
    // As many hashes as there can be.
    if shape.type == "bloom_filter" { attributes.extra = 15 }
    let made = try BPF.createMap(attributes, btf: nil)
    let id = try BPF.mapInfo(made).id
    let shown = try JSONValue.parse(Array(run("bpftool", "--json", "map", "show", "id", "\(id)").utf8))
    guard case .integer(let taken)? = shown["bytes_memlock"] else {
      Issue.record("bpftool says no size: \(shown)")
      return
    }
    // The map's own head, and the bitmaps and lists that come once.
    let head: UInt64 = 24 << 10
    let estimate = MapMemory.bytes(of: map)
    #expect(UInt64(taken) <= estimate * processors + head)
    // Entries of these are made when they are filled in.
    if shape.type != "devmap" { #expect(estimate <= 4 * UInt64(taken), "\(taken)") }
  }
}
