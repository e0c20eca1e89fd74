import BPFObject
import Base
import Glibc
import Linux
import Testing

@testable import Loader

/// Arenas: made, given the object's variables, and used by programs.
@Suite(.enabled(if: Machine.loads)) struct ArenaTests {
  private let packet = Packet.ethernet(0x0800, Packet.ipv4(6, to: 80))

  private func run(_ linked: LinkedObject) throws -> [UInt32] {
    let object = try ObjectLoader.load(linked, options: LoadOptions())
    #expect(object.maps.map(\.type) == [33])
    return try (0..<2).map { _ in try BPF.testRun(object.program("arena_variables"), packet: packet).returned }
  }

  @Test func variablesHaveTheirFirstValues() throws {
    let linked = try Objects.linked(Objects.fixture("arena"))
    #expect(linked.maps.map(\.name) == ["arena"] && linked.maps[0].initialValue.count >= 4816)
    // 40 + 2, and the last of the 600 numbers; the second run goes on from the first.
    #expect(try run(linked) == [49, 51])
  }

  /// `map_extra` says where the arena lies in every process that maps it.
  @Test func liesWhereTheObjectSays() throws {
    let linked = try Objects.linked(Objects.fixture("arena"))
    var maps = linked.maps
    maps[0].mapExtra = 0x7e00_0000_0000
    let object = try ObjectLoader.load(
      LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: linked.programs),
      options: LoadOptions())
    #expect(try BPF.testRun(object.program("arena_variables"), packet: packet).returned == 49)
    let arena = try object.map("arena")
    #expect(try BPF.mapInfo(arena).extra == 0x7e00_0000_0000)
    // What user space sees there is what the program wrote.
    let mapped = arena.descriptor.withRaw {
      mmap(UnsafeMutableRawPointer(bitPattern: 0x7e00_0000_0000), 4 * 4096, PROT_READ, MAP_SHARED | 0x10_0000, $0, 0)
    }
    let memory = try #require(mapped)
    try #require(Int(bitPattern: memory) == 0x7e00_0000_0000)
    defer { munmap(memory, 4 * 4096) }
    let values = (0..<1204).map { memory.load(fromByteOffset: $0 * 4, as: UInt32.self) }
    #expect(values.contains(42))
  }

  /// An address at which this process has something of its own: its memory stays what it is.
  @Test func doesNotReplaceOurMemory() throws {
    let own = try #require(mmap(nil, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(own, 4 * 4096) }
    own.storeBytes(of: 0x5a5a_5a5a, as: UInt32.self)
    let linked = try Objects.linked(Objects.fixture("arena"))
    var maps = linked.maps
    maps[0].mapExtra = UInt64(UInt(bitPattern: own))
    let told = try Objects.refusal(
      LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: linked.programs)
    ).diagnostic
    #expect(told.code == "load.map" && told.found?.contains("EEXIST") == true, "\(told)")
    #expect(own.load(as: UInt32.self) == 0x5a5a_5a5a)
  }
}
