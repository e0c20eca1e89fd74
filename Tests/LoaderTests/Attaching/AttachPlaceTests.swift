import BPFObject
import Base
import Glibc
import Linux
import Testing

@testable import Loader

/// Programs that are attached to an interface, a cgroup or a namespace that an option names.
@Suite(.enabled(if: Machine.loads)) struct AttachPlaceTests {
  /// One program of the fixture, attached.
  private func load(_ program: String, _ change: (inout LoadOptions) -> Void = { _ in }) throws -> LoadedObject {
    var options = LoadOptions()
    options.attaches = true
    change(&options)
    return try ObjectLoader.load(Objects.linked(Objects.fixture("places"), only: [program]), options: options)
  }

  private func refusal(_ program: String, _ change: (inout LoadOptions) -> Void = { _ in }) throws -> Diagnostic {
    var options = LoadOptions()
    options.attaches = true
    change(&options)
    return try Objects.refusal(Objects.linked(Objects.fixture("places"), only: [program]), options: options).diagnostic
  }

  /// What bpftool says of the object's one link.
  private func shown(_ object: borrowing LoadedObject) throws -> String {
    let id = try #require(object.programs.first?.id)
    let lines = try shownLinks().split(separator: "\n", omittingEmptySubsequences: true)
    guard let index = lines.firstIndex(where: { $0.hasSuffix(" prog \(id)") || $0.contains(" prog \(id) ") }) else {
      return ""
    }
    return lines[index...].prefix(2).joined(separator: "\n")
  }

  @Test(arguments: [
    ("on_ingress", "", ""), ("either_way", "egress", ""), ("on_interface", "", "xdp"),
  ])
  func attachesToAnInterface(program: String, target: String, kind: String) throws {
    // In a network namespace of its own, where the loopback interface is nobody else's.
    try inNetworkNamespace {
      let object = try load(program) {
        $0.interface = "lo"
        $0.attachTarget = target.isEmpty ? nil : target
      }
      #expect(object.links.map(\.program) == [program])
      #expect(try shown(object).contains(kind))
      // A second XDP program does not fit on the interface; several tcx programs do.
      if kind == "xdp" {
        let told = try refusal(program) { $0.interface = "lo" }
        #expect(told.code == "load.attach" && told.found?.contains("EBUSY") == true, "\(told)")
      }
    }
  }

  @Test(arguments: ["either_packet", "on_connect", "on_socket"])
  func attachesToACgroup(program: String) throws {
    let cgroups = try MountedFileSystem("cgroup2")
    let path = "\(cgroups.path)/verity-bpf-test-\(UInt32.random(in: 0...UInt32.max))"
    try Directory.create(path)
    defer { rmdir(path) }
    do {
      let object = try load(program) {
        $0.cgroup = path
        $0.attachTarget = "egress"
      }
      let id = try #require(object.programs.first?.id)
      #expect(try run("bpftool", "cgroup", "show", path).contains("\(id)"))
      _ = consume object
    }
    for _ in 0..<100 where try !run("bpftool", "cgroup", "show", path).isEmpty { usleep(20_000) }
    #expect(try run("bpftool", "cgroup", "show", path).isEmpty)
  }

  @Test func attachesToANamespaceAndATracepoint() throws {
    try inNetworkNamespace {
      let object = try load("on_lookup")
      #expect(try shown(object).contains("netns"))
    }
    let object = try load("on_tracepoint") { $0.attachTarget = "sched_process_exec" }
    #expect(try shown(object).contains("sched_process_exec"))
  }

  @Test(arguments: [
    ("on_interface", "--interface"), ("on_ingress", "--interface"), ("on_connect", "--cgroup"),
    ("on_tracepoint", "--target"),
  ])
  func saysWhichOptionIsMissing(program: String, option: String) throws {
    let told = try refusal(program)
    #expect(told.code == "load.attach-place" && told.category == .usage)
    #expect(told.message.contains("`\(program)`") && told.expected?.contains(option) == true, "\(told)")
  }

  @Test func namesAPlaceThatIsNotThere() throws {
    let interface = try refusal("on_interface") { $0.interface = "no-such-if" }
    #expect(interface.code == "load.no-such-place" && interface.message.contains("`no-such-if`"), "\(interface)")
    #expect(interface.category == .incomplete && interface.next?.contains("ip link") == true)
    let cgroup = try refusal("on_connect") { $0.cgroup = "/no/such/cgroup" }
    #expect(cgroup.code == "load.no-such-place" && cgroup.message.contains("`/no/such/cgroup`"), "\(cgroup)")
    let direction = try refusal("either_way") { $0.interface = "lo" }
    #expect(direction.expected?.contains("ingress|egress") == true)
  }

  @Test func pinsLinksAndUndoesThem() throws {
    let files = try MountedFileSystem("bpf")
    try inNetworkNamespace {
      do {
        let object = try load("on_interface") {
          $0.interface = "lo"
          $0.pinPath = "\(files.path)/acme"
        }
        #expect(try Directory.names("\(files.path)/acme/link") == ["on_interface"])
        _ = consume object
      }
      #expect(try Directory.names(files.path).allSatisfy { $0.hasSuffix(".debug") })
      // The interface is free again, as soon as the kernel has put away the link.
      var isFree = false
      for _ in 0..<100 where !isFree {
        do {
          _ = try load("on_interface") { $0.interface = "lo" }
          isFree = true
        } catch { usleep(20_000) }
      }
      #expect(isFree)
    }
  }
}

/// Runs `body` on a thread of its own in a new network namespace.
private func inNetworkNamespace(_ body: @escaping () throws -> Void) throws {
  try onOwnThread(unsharing: 0x4000_0000, body)  // CLONE_NEWNET
}
