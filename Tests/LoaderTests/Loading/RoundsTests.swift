import BPFObject
import Linux
import Testing

@testable import Loader

/// Many loads one after another leave nothing behind: no descriptor, no program, no map.
@Suite(.enabled(if: Machine.loads)) struct RoundsTests {
  @Test func twoHundredRoundsLeaveNothing() throws {
    let linked = try Objects.linked(Objects.demo("xdp_counter"))
    let files = try MountedFileSystem("bpf")
    var options = LoadOptions()
    options.pinPath = "\(files.path)/rounds"
    let before = try Directory.names("/proc/self/fd").count
    var programs: Set<UInt32> = []
    var maps: Set<UInt32> = []
    for _ in 0..<200 {
      do {
        var object = try ObjectLoader.load(linked, options: options)
        programs.formUnion(object.programs.map(\.id))
        maps.formUnion(object.maps.map(\.id))
        object.commit()
      }
      #expect(try Unloading.unload(pinPath: "\(files.path)/rounds").remaining == [])
    }
    #expect(programs.count == 200 && maps.count >= 200)
    // Other tests of this process open and close meanwhile; one descriptor a round would be 200.
    #expect(try Directory.names("/proc/self/fd").count < before + 50)
    // The kernel frees programs and maps when the last reader of them is done, a little later.
    for _ in 0..<100 where try !areGone(programs, maps) { try run("sleep", "0.1") }
    #expect(try !programs.contains(where: BPF.programIDs().contains))
    #expect(try !maps.contains(where: BPF.mapIDs().contains))
  }

  private func areGone(_ programs: Set<UInt32>, _ maps: Set<UInt32>) throws -> Bool {
    try programs.isDisjoint(with: BPF.programIDs()) && maps.isDisjoint(with: BPF.mapIDs())
  }
}
