import BPFObject
import Base
import Glibc
import Linux
import Policy
import Provenance
import Testing

@testable import Loader

/// The way in: permits, choice of programs, maps that hold others, and nothing left behind.
@Suite(.enabled(if: Machine.loads)) struct LoadTests {
  @Test func fillsMapsThatHoldProgramsAndMaps() throws {
    let object = try Objects.load(Objects.fixture("slots"))
    #expect(Set(object.programs.map(\.name)) == ["first", "second"], "the optional program is left out")
    let run = try BPF.testRun(object.program("first"), packet: Packet.ethernet(0x0800, Packet.ipv4(6, to: 80)))
    #expect(run.returned == 42, "the tail call found the program in slot 1")
    #expect(try number(BPF.lookup(object.map("held"), key: bytes(UInt32(0)), valueSize: 8)) == 1, "through slot 2")
    let processors = try #require(KernelSettings.possibleProcessors())
    #expect(try BPF.mapInfo(object.map("samples")).maxEntries == UInt32(processors))
    #expect(try BPF.mapInfo(object.map("traces")).valueSize == 127 * 8)
    #expect(try BPF.mapInfo(object.map("places")).valueSize == 127 * 32)
  }

  @Test func loadsAnOptionalProgramThatIsNamed() throws {
    let object = try Objects.load(Objects.fixture("slots"), programs: ["first", "second", "only_when_asked"])
    #expect(object.programs.contains { $0.name == "only_when_asked" } && object.programs.count == 3)
  }

  @Test func refusesASlotWhoseProgramIsNotLoaded() throws {
    let refusal = try Objects.refusal(Objects.linked(Objects.fixture("slots"), only: ["first"]))
    #expect(refusal.diagnostic.code == "load.no-slot-target" && refusal.diagnostic.message.contains("second"))
  }

  @Test func looksUpKernelFunctions() throws {
    let linked = try Objects.linked(Objects.fixture("kernel_function"))
    #expect(Set(linked.externs.map(\.name)) == ["bpf_rcu_read_lock", "bpf_rcu_read_unlock", "no_such_function"])
    let object = try ObjectLoader.load(linked, options: LoadOptions())
    let link = try BPF.openRawTracepoint(object.program("kernel_function"), tracepoint: "sched_process_exec")
    try run("true")
    #expect(try number(BPF.lookup(object.map(".bss"), key: bytes(UInt32(0)), valueSize: 8)) != 0)
    withExtendedLifetime(link) {}
  }

  @Test func namesAKernelFunctionThatIsMissing() throws {
    let linked = try Objects.linked(Objects.fixture("missing_function"))
    let told = try Objects.refusal(linked).diagnostic
    #expect(told.code == "load.no-kernel-symbol" && told.message.contains("`no_such_function`"))
    #expect(told.category == .unsupported)
  }

  @Test func describesWhatItLoaded() throws {
    let object = try Objects.load(Objects.demo("xdp_counter"))
    let program = try #require(object.programs.first)
    let shown = try run("bpftool", "prog", "show", "id", "\(program.id)")
    #expect(shown.contains("xdp  name xdp_counter  tag \(Hex.encode(program.tag))"))
    for map in object.maps {
      #expect(try run("bpftool", "map", "show", "id", "\(map.id)").contains("\(map.id): array"))
    }
  }

  @Test func takesAPermitForTheseBytesOnly() throws {
    let contents = try Objects.bytes(Objects.demo("task_list"))
    let digest = try Digest.of(contents.rawSpan)
    let otherBytes = Array("other bytes".utf8)
    let other = try Digest.of(otherBytes.rawSpan)
    func prepared() throws -> PreparedObject {
      try PreparedObject.linking(try examined(contents), name: "task_list.bpf.o", keyring: nil)
    }
    let first = try prepared()
    let mistaken = try permit(for: other)
    do throws(BPFLoadError) {
      _ = try ObjectLoader.load(first, permit: mistaken)
      Issue.record("loaded with a permit for other bytes")
    } catch {
      #expect(error.diagnostic.code == "load.permit-mismatch" && error.diagnostic.category == .integrity)
      #expect(error.diagnostic.expected == "\(other)" && error.diagnostic.found == "\(digest)")
    }
    let object = try ObjectLoader.load(prepared(), permit: permit(for: digest))
    #expect(object.programs.map(\.name) == ["task_list"])
  }

  @Test func refusesBytesThatAreNoObject() throws {
    let object = try examined(Array("not an object".utf8))
    do throws(BPFLoadError) {
      _ = try PreparedObject.linking(object, name: "x", keyring: nil)
      Issue.record("linked text")
    } catch {
      #expect(error.diagnostic.code.hasPrefix("object."))
    }
  }

  /// These bytes as an object on no image, with the little that can be said of them.
  private func examined(_ contents: [UInt8]) throws -> ExaminedObject {
    let directory = try TemporaryDirectory()
    let file = try OwnedFD.open("\(directory.path)/object", [.writeOnly, .create])
    try file.writeAll(contents.rawSpan)
    var examination = Examination()
    return try examination.examine(file: "\(directory.path)/object")
  }

  /// The permit of a policy that allows everything.
  private func permit(for digest: Digest) throws -> Permit {
    let text = Array("policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n".utf8)
    let policy = try CompiledPolicy(PolicyDocument.parse(text, dialect: .verityBPF))
    switch policy.admit([Facts(operation: .bpfProgLoad)], objectDigest: digest) {
    case .allow(let permit, _): return permit
    case .deny(let ruling): throw Denied(ruling: ruling)
    }
  }

  private struct Denied: Error {
    let ruling: Ruling
  }

  /// Whether a program or map of this name is in the kernel. Others load too, so names are unique to each test.
  private func isInKernel(_ name: String) throws -> Bool {
    for id in try BPF.programIDs() {
      // It may go between the two calls.
      if let program = try? BPF.program(id: id), try BPF.programInfo(program).name == name { return true }
    }
    return try run("bpftool", "map", "list").contains("name \(name) ")
  }

  private func isGone(_ name: String) throws -> Bool {
    // The kernel frees maps after a grace period.
    for _ in 0..<100 {
      if try !isInKernel(name) { return true }
      usleep(20_000)
    }
    return false
  }

  /// The same object, its programs and maps renamed so that they can be told from all others.
  private func renamed(_ linked: LinkedObject, _ name: String) -> LinkedObject {
    var programs = linked.programs
    for index in programs.indices { programs[index].name = name }
    var maps = linked.maps
    for index in maps.indices { maps[index].name = name }
    return LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: programs)
  }

  @Test func unloadsWhatIsDropped() throws {
    let name = "drop\(UInt32.random(in: 0...999_999_999))"
    do {
      let object = try ObjectLoader.load(
        renamed(Objects.linked(Objects.demo("xdp_counter")), name), options: LoadOptions())
      #expect(try isInKernel(name))
      _ = consume object
    }
    #expect(try isGone(name))
  }

  @Test func leavesNothingAfterAFailure() throws {
    // Maps and the first programs are made before a later program is refused.
    let good = try Objects.linked(Objects.demo("runq_latency"))
    var programs = good.programs
    programs[programs.count - 1].instructions.replaceSubrange(0..<8, with: [0xff, 0, 0, 0, 0, 0, 0, 0])
    let name = "fail\(UInt32.random(in: 0...999_999_999))"
    let broken = renamed(
      LinkedObject(license: good.license, btf: good.btf, maps: good.maps, programs: programs), name)
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.logDirectory = directory.path
    let before = try Directory.names("/proc/self/fd").count
    let refusal = try Objects.refusal(broken, options: options)
    #expect(refusal.diagnostic.code == "load.verifier")
    #expect(try isGone(name))
    // Other tests of this process open and close meanwhile, so this is no equality.
    #expect(try Directory.names("/proc/self/fd").count < before + 50)
  }
}
