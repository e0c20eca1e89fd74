import KernelABI
import BPFObject
import Base
import Glibc
import Linux
import Testing

@testable import Loader

/// Structures of functions: made by loading, registered by attaching, gone when the load goes.
@Suite(.enabled(if: Machine.loads), .serialized) struct StructOpsLoadTests {
  private func available() throws -> Set<Substring> {
    let text = try run("cat", "/proc/sys/net/ipv4/tcp_available_congestion_control")
    return Set(text.split(whereSeparator: { $0 == " " || $0 == "\n" }))
  }

  private func isGone(_ names: Set<Substring>) throws -> Bool {
    for _ in 0..<100 {
      if try available().isDisjoint(with: names) { return true }
      usleep(20_000)
    }
    return false
  }

  private let both: Set<Substring> = ["vbpf_by_map", "vbpf_by_link"]

  @Test func loadingDoesNotRegister() throws {
    let object = try Objects.load(Objects.fixture("congestion"))
    #expect(
      object.maps.map(\.name) == ["by_map", "by_link"]
        && object.maps.allSatisfy { $0.type == MapType.structOps.rawValue })
    #expect(object.programs.map(\.name) == ["plain_ssthresh", "plain_avoid", "plain_undo"])
    #expect(try available().isDisjoint(with: both))
  }

  @Test func attachingRegistersAndDroppingUnregisters() throws {
    do {
      var options = LoadOptions()
      options.attaches = true
      let object = try ObjectLoader.load(Objects.linked(Objects.fixture("congestion")), options: options)
      #expect(try available().isSuperset(of: both))
      #expect(object.links.map(\.program) == ["by_link"], "the other has no link")
      _ = consume object
    }
    #expect(try isGone(both))
  }

  @Test func whatIsPinnedStaysRegistered() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/tcp"
    do {
      var options = LoadOptions()
      options.attaches = true
      options.pinPath = path
      var object = try ObjectLoader.load(Objects.linked(Objects.fixture("congestion")), options: options)
      object.commit()
    }
    #expect(try available().isSuperset(of: both))
    #expect(try Directory.names("\(path)/map").sorted() == ["by_link", "by_map"])
    #expect(try Directory.names("\(path)/link") == ["by_link"])
    // Without a link, the entry is deleted from the map; a link is unpinned.
    let unloaded = try Unloading.unload(pinPath: path)
    #expect(unloaded.unregistered == ["\(path)/map/by_map"] && unloaded.remaining.isEmpty, "\(unloaded)")
    #expect(try isGone(both))
    #expect(try Directory.names(files.path).contains("tcp") == false)
  }

  @Test func saysWhatIsRegistered() throws {
    var options = LoadOptions()
    options.attaches = true
    let object = try ObjectLoader.load(Objects.linked(Objects.fixture("congestion")), options: options)
    #expect(object.registered == ["by_map"])
    #expect(object.links.map(\.place) == ["struct_ops tcp_congestion_ops"])
  }

  @Test func aFailureUnregisters() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/tcp"
    try Directory.create(path)
    try Directory.create("\(path)/link")
    // The name of the link, which is pinned last, is taken.
    try BPF.pin(Objects.load(Objects.demo("task_list")).program("task_list"), at: "\(path)/link/by_link")
    var options = LoadOptions()
    options.attaches = true
    options.pinPath = path
    let refusal = try Objects.refusal(Objects.linked(Objects.fixture("congestion")), options: options)
    #expect(refusal.diagnostic.code == "load.pin")
    #expect(try isGone(both))
    #expect(try Directory.names(path) == ["link"])
  }

  @Test func namesAStructureTheKernelLacks() throws {
    let told = try Objects.refusal(Objects.linked(Objects.fixture("unknown_structure"))).diagnostic
    #expect(told.code == "load.struct-ops" && told.category == .unsupported)
    #expect(told.message.contains("`no_such_operations`"))
  }

  @Test func listsWhatIsFilledIn() throws {
    let edits = try Objects.linked(Objects.fixture("congestion")).kernelEdits
    #expect(edits.filter { $0.value == .program }.count == 6)
    #expect(edits.contains { $0.place == .attribute(program: "plain_undo", name: "attach_btf_id") })
  }
}
