import BPFObject
import Base
import Glibc
import Linux
import Testing

@testable import Loader

/// Programs that are attached to events, probes, hooks and sockets, and seen at work.
@Suite(.enabled(if: Machine.loads)) struct ProbeTests {
  private func load(_ program: String, _ target: String? = nil, pins: String? = nil) throws -> LoadedObject {
    var options = LoadOptions()
    options.attaches = true
    options.attachTarget = target
    options.pinPath = pins
    return try ObjectLoader.load(Objects.linked(Objects.fixture("probes"), only: [program]), options: options)
  }

  private func refusal(_ program: String, _ target: String? = nil) throws -> Diagnostic {
    var options = LoadOptions()
    options.attaches = true
    options.attachTarget = target
    return try Objects.refusal(Objects.linked(Objects.fixture("probes"), only: [program]), options: options).diagnostic
  }

  private func hits(_ object: borrowing LoadedObject) throws -> UInt64 {
    try number(BPF.lookup(object.map("bss"), key: bytes(UInt32(0)), valueSize: 8))
  }

  /// The C library of this process, and the offset of a function in it as nm tells it.
  private static let library = "/lib/x86_64-linux-gnu/libc.so.6"

  private func offset(of function: String) throws -> UInt64 {
    let line = try run("sh", "-c", "nm -D \(Self.library) | grep -E ' [TW] \(function)(@|$)'").split(separator: " ")
    return try #require(line.first.flatMap { UInt64($0, radix: 16) })
  }

  // MARK: Probes in files

  @Test(arguments: [
    ("on_call", "getppid", ""), ("on_return", "getppid", " (return)"), ("on_call", "0x", ""),
  ])
  func countsCallsOfAFunction(program: String, place: String, note: String) throws {
    let text = place == "0x" ? "0x\(String(try offset(of: "getppid"), radix: 16))" : place
    let object = try load(program, "\(Self.library):\(text)")
    #expect(object.links.map(\.place) == ["\(Self.library):\(text)\(note)"])
    let before = try hits(object)
    for _ in 0..<7 { _ = getppid() }
    #expect(try hits(object) >= before + 7)
  }

  /// A name without a slash, and a place behind the function's start.
  @Test func findsALibraryByItsName() throws {
    let object = try load("on_call", "libc.so.6:getppid+0")
    let before = try hits(object)
    _ = getppid()
    #expect(try hits(object) > before)
  }

  @Test(arguments: ["on_calls", "on_returns"])
  func countsCallsOfManyFunctions(program: String) throws {
    let object = try load(program, "\(Self.library):getp?id")
    #expect(object.links.count == 1)
    let before = try hits(object)
    for _ in 0..<3 {
      _ = getppid()
      _ = getpgid(0)
    }
    // getppid and getpgid match, getpid does not.
    #expect(try hits(object) >= before + 6)
  }

  // MARK: Events

  @Test(arguments: [("on_exec", String?.none), ("on_any_event", "sched/sched_process_exec")])
  func countsATracepoint(program: String, target: String?) throws {
    try inNamespaces(mounts: true) {
      // Most machines have it mounted there.
      guard mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nil) == 0 || errno == EBUSY else {
        throw SystemError("mount", path: "tracefs", errno: errno)
      }
      let object = try load(program, target)
      #expect(object.links.map(\.place) == ["tracepoint sched/sched_process_exec"])
      let before = try hits(object)
      try run("true")
      #expect(try hits(object) > before)
      let told = try refusal("on_no_event")
      #expect(told.code == "load.no-attach-place" && told.found?.contains("no tracepoint") == true, "\(told)")
    }
  }

  @Test func samplesEveryProcessor() throws {
    let files = try MountedFileSystem("bpf")
    var object = try load("on_sample", "cpu-clock@200", pins: "\(files.path)/samples")
    let processors = Processors.online
    #expect(object.links.count == processors)
    let before = try hits(object)
    let end = Timestamp.now()
    // Busy for a quarter of a second: samples of an idle processor may be late.
    while Timestamp.now().seconds - end.seconds < 1, try hits(object) <= before {}
    #expect(try hits(object) > before)
    object.commit()
    let names = processors == 1 ? ["on_sample"] : (0..<processors).map { "on_sample_\($0)" }
    #expect(try Directory.names("\(files.path)/samples/link") == names)
    #expect(try Unloading.unload(pinPath: "\(files.path)/samples").remaining.isEmpty)
  }

  // MARK: Hooks and sockets

  @Test func judgesPacketsOfANamespace() throws {
    try inNamespaces(mounts: false) {
      let object = try load("on_packet", "ipv4/local_out/-10")
      #expect(object.links.map(\.place) == ["netfilter ipv4/local_out/-10"])
      try run("ip", "link", "set", "lo", "up")
      let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      defer { close(sender) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(9).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let sent = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(sender, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      #expect(sent == 1)
      #expect(try hits(object) > 0)
    }
  }

  @Test(arguments: ["on_message", "on_stream"])
  func attachesToTheSocketsOfAMap(program: String) throws {
    let object = try load(program, "sockets")
    #expect(object.links.count == 1 && object.links.first?.place.hasPrefix("sockets of map sockets") == true)
    let id = try #require(object.programs.first?.id)
    #expect(try shownLinks().contains(" prog \(id)"))
    let told = try refusal(program, "no_such_map")
    #expect(told.code == "load.no-attach-place" && told.found?.contains("`no_such_map`") == true)
  }

  // MARK: What is not there, or not said

  @Test func saysThatAKernelHasNoProbes() throws {
    guard (try? PerfEvent.source("kprobe", "type")) == nil else { return }
    for program in ["on_function", "on_system_call"] {
      let told = try refusal(program)
      #expect(told.code == "load.no-attach-place" && told.category == .unsupported, "\(told)")
      #expect(told.found?.contains("CONFIG_KPROBE_EVENTS") == true)
    }
    #expect(try refusal("on_system_call").expected == "kernel function __x64_sys_getppid")
  }

  @Test(arguments: [
    ("on_call", String?.none, "load.attach-place", "--target PATH:FUNCTION[+OFFSET]"),
    ("on_call", "getppid", "load.attach-target", "PATH:FUNCTION[+OFFSET]"),
    ("on_return", "/bin/sh:main+4", "load.attach-target", "only whole functions return"),
    ("on_call", "/bin/sh:no_such_function", "load.no-attach-place", "/bin/sh:no_such_function"),
    ("on_call", "/etc/passwd:main", "load.no-attach-place", "/etc/passwd:main"),
    ("on_calls", "/bin/sh:no_such_*", "load.no-attach-place", "no_such_*"),
    ("on_call", "no-such-program:main", "load.no-attach-place", "no-such-program:main"),
    ("on_any_event", "sched_process_exec", "load.attach-target", "CATEGORY/NAME"),
    ("on_any_event", "../../etc/x", "load.attach-target", "CATEGORY/NAME"),
    ("on_sample", "cpu-clock", "load.attach-target", "@HZ"),
    ("on_sample", "disk-clock@9", "load.attach-target", "cpu-clock|cpu-cycles@HZ"),
    ("on_packet", "ipv4/nowhere", "load.attach-target", "local_in"),
    ("on_packet", "ipv4/local_in/much", "load.attach-target", "ipv4|ipv6/HOOK[/PRIORITY]"),
    ("on_nothing", nil, "load.not-attachable", "link"),
  ])
  func saysWhatIsWrongWithATarget(program: String, target: String?, code: String, expected: String) throws {
    let told = try refusal(program, target)
    #expect(told.code == code, "\(told)")
    #expect(told.expected?.contains(expected) == true, "\(told)")
  }

  @Test func readsProbesOfFiles() throws {
    let offset = try offset(of: "getppid")
    #expect(try ProbedFile.functions(of: Self.library, matching: "getppid") == [offset])
    let many = try ProbedFile.functions(of: Self.library, matching: "get*id")
    #expect(many.count > 3 && many.contains(offset) && many == many.sorted())
    // Any bytes at all end in an answer.
    var bytes = try Objects.bytes("/bin/true")
    for position in stride(from: 16, to: 64, by: 1) {
      for value in [UInt8](arrayLiteral: 0, 0x7f, 0xff) {
        let kept = bytes[position]
        bytes[position] = value
        _ = try? ProbedFile.functions(in: bytes.rawSpan, matching: Pattern("*"))
        bytes[position] = kept
      }
    }
  }

  @Test(arguments: [
    ("a*c", "abbc", true), ("a*c", "abcd", false), ("*", "", true), ("?", "", false), ("a?", "ab", true),
    ("*a*a*a*", "aaa", true), ("*a*a*a*a", "aaa", false), ("tcp_*", "tcp_v4_connect", true), ("", "x", false),
  ])
  func matchesPatterns(pattern: String, name: String, matches: Bool) {
    #expect(Pattern(pattern).matches(name) == matches)
  }
}

/// Runs `body` on a thread of its own in new namespaces: of the network, and of mounts when it changes those.
private func inNamespaces(mounts: Bool, _ body: @escaping () throws -> Void) throws {
  // CLONE_NEWNS and CLONE_FS, or CLONE_NEWNET.
  try onOwnThread(unsharing: mounts ? 0x0002_0200 : 0x4000_0000) {
    // MS_REC and MS_PRIVATE: what is mounted here stays here.
    if mounts, mount("none", "/", nil, 0x4000 | 1 << 18, nil) != 0 { throw SystemError("mount", errno: errno) }
    try body()
  }
}
