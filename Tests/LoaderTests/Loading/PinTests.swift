import BPFObject
import Base
import Linux
import Testing

@testable import Loader

/// Pins: `DIR/map/<name>` and `DIR/prog/<name>`, all or none.
@Suite(.enabled(if: Machine.loads)) struct PinTests {
  private func options(_ path: String) throws -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = path
    return options
  }

  /// What is in the file system besides the two iterators the kernel itself puts there.
  private func own(_ files: MountedFileSystem) throws -> [String] {
    try Directory.names(files.path).filter { $0 != "maps.debug" && $0 != "progs.debug" }
  }

  @Test func pinsStayAfterACommit() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/acme/counter"
    let linked = try Objects.linked(Objects.demo("xdp_counter"))
    do {
      var object = try ObjectLoader.load(linked, options: options(path + "/"))
      #expect(object.programs.map(\.pin) == ["\(path)/prog/xdp_counter"])
      object.commit()
    }
    #expect(try Directory.names("\(path)/map") == ["bss", "counters", "data", "rodata"])
    // The pins alone keep the program, and it works.
    let program = try BPF.pinned(at: "\(path)/prog/xdp_counter")
    #expect(try BPF.testRun(program, packet: Packet.ethernet(0x0800, Packet.ipv4(6, to: 80))).returned == 2)
    let counters = try BPF.pinned(at: "\(path)/map/counters")
    #expect(try number(BPF.lookup(counters, key: bytes(UInt32(6)), valueSize: 16)) == 1)
    #expect(try BPF.programInfo(program).mapIDs.contains(BPF.mapInfo(counters).id))
  }

  @Test func pinsGoWithoutACommit() throws {
    let files = try MountedFileSystem("bpf")
    do {
      let object = try ObjectLoader.load(
        Objects.linked(Objects.demo("xdp_counter")), options: options("\(files.path)/acme/counter"))
      #expect(try Directory.names("\(files.path)/acme/counter/prog") == ["xdp_counter"])
      _ = consume object
    }
    #expect(try own(files) == [])
  }

  @Test func aTakenNameUndoesTheOthers() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/acme"
    try Directory.create(path)
    try Directory.create("\(path)/prog")
    let other = try Objects.load(Objects.demo("task_list"))
    try BPF.pin(other.program("task_list"), at: "\(path)/prog/xdp_counter")

    let refusal = try Objects.refusal(Objects.linked(Objects.demo("xdp_counter")), options: options(path))
    #expect(refusal.diagnostic.code == "load.pin" && refusal.diagnostic.next?.contains("remove") == true)
    #expect(try Directory.names(path) == ["prog"], "the maps' directory is gone, what was there is not")
    #expect(try Directory.names("\(path)/prog") == ["xdp_counter"])
    #expect(try BPF.programInfo(BPF.pinned(at: "\(path)/prog/xdp_counter")).name == "task_list")
  }

  @Test func refusesPlacesThatAreNoneToPinIn() throws {
    let files = try MountedFileSystem("bpf")
    let elsewhere = try TemporaryDirectory()
    let linked = try Objects.linked(Objects.demo("xdp_counter"))
    for (path, reason) in [
      (files.path, "the root"), (elsewhere.path, "no BPF file system"), ("\(elsewhere.path)/new", "no BPF file system"),
      ("\(files.path)/a/../b", "with `..`"), ("relative", "no BPF file system"),
    ] {
      let told = try Objects.refusal(linked, options: options(path)).diagnostic
      #expect(told.code == "load.pin-path" && told.found?.contains(reason) == true, "\(path): \(told)")
    }
    #expect(try own(files) == [])
    #expect(try Directory.names(elsewhere.path) == [])
  }

  @Test func refusesTwoOfOneName() throws {
    var linked = try Objects.linked(Objects.demo("xdp_counter"))
    var maps = linked.maps
    let declared = try #require(maps.firstIndex { $0.origin == .declared })
    maps[declared].name = "rodata"
    linked = .init(license: linked.license, btf: linked.btf, maps: maps, programs: linked.programs)
    let files = try MountedFileSystem("bpf")
    let told = try Objects.refusal(linked, options: options("\(files.path)/x")).diagnostic
    #expect(told.code == "load.pin-name-twice" && told.message.contains("/map/rodata"))
    #expect(try own(files) == [])
  }
}
