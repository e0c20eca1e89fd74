import BPFObject
import Base
import Linux
import Testing

@testable import Loader

/// Places that authors marked for tracing (USDT), with readelf and libbpf as witnesses.
@Suite(.enabled(if: Machine.loads)) struct StaticProbeTests {
  private static let library = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"

  private func load(
    _ programs: [String], _ target: String? = nil, pins: String? = nil
  ) throws(BPFLoadError) -> LoadedObject {
    var options = LoadOptions()
    options.attaches = true
    options.attachTarget = target
    options.pinPath = pins
    guard let linked = try? Objects.linked(Objects.fixture("marked"), only: programs) else {
      throw .nothingToLoad(optional: programs)
    }
    return try ObjectLoader.load(linked, options: options)
  }

  /// Prints what libbpf puts under the keys 0 to 2 when it attaches both programs itself.
  private static let libbpf = """
    import ctypes, sys
    b = ctypes.CDLL("libbpf.so.1")
    for name in ("bpf_object__open_file", "bpf_object__find_program_by_name", "bpf_program__attach",
                 "bpf_object__find_map_by_name"):
        getattr(b, name).restype = ctypes.c_void_p
    o = ctypes.c_void_p(b.bpf_object__open_file(sys.argv[1].encode(), None))
    assert b.bpf_object__load(o) == 0
    for name in (b"on_throw", b"on_catch"):
        assert b.bpf_program__attach(ctypes.c_void_p(b.bpf_object__find_program_by_name(o, name)))
    m = ctypes.c_void_p(b.bpf_object__find_map_by_name(o, b"__bpf_usdt_specs"))
    for key in range(3):
        value = ctypes.create_string_buffer(208)
        assert b.bpf_map_lookup_elem(b.bpf_map__fd(m), ctypes.byref(ctypes.c_int(key)), value) == 0
        print(value.raw.hex())
    """

  /// The map that says where arguments are is, byte for byte, what libbpf writes for the same programs.
  @Test(.enabled(if: (try? run("python3", "-c", "import ctypes; ctypes.CDLL('libbpf.so.1')")) != nil, "no libbpf here"))
  func describesArgumentsAsLibbpfDoes() throws {
    let theirs = try run("python3", "-c", Self.libbpf, Objects.fixture("marked")).split(separator: "\n").suffix(3)
    let object = try load(["on_throw", "on_catch"])
    #expect(object.links.map(\.place) == ["throw", "catch"].map { "libstdc++.so.6:libstdcxx:\($0)" })
    let ours = try object.map("__bpf_usdt_specs")
    for (key, expected) in zip(0..<UInt32(3), theirs) {
      let value = try BPF.lookup(ours, key: bytes(key), valueSize: StaticProbeArguments.size)
      #expect(Hex.encode(value ?? []) == expected, "key \(key)")
    }
    #expect(try BPF.lookup(ours, key: bytes(UInt32(0)), valueSize: 208)?[200] == 2, "two arguments")
  }

  /// A place with a counter of watchers, in a program that runs.
  @Test(.enabled(if: (try? FileStatus.of(path: "/usr/bin/python3.11")) != nil, "no python3.11 with marks here"))
  func runsWhereAProgramPasses() throws {
    let object = try load(["on_any"], "/usr/bin/python3.11:python:import__find__load__done")
    try run("/usr/bin/python3.11", "-c", "import this")
    let seen = try BPF.lookup(object.map("bss"), key: bytes(UInt32(0)), valueSize: 16)
    // Hits and the number of arguments, in the order that the compiler chose.
    let numbers = [try number(seen), try number(seen, at: 8)]
    #expect(numbers.contains(2) && numbers.contains { $0 > 2 }, "\(numbers)")
  }

  @Test func findsThePlacesThatReadelfLists() throws {
    let file = try Objects.contents(Self.library)
    let found = try StaticProbe.all(in: file.rawSpan, provider: "libstdcxx", name: "throw")
    let lines = try run("readelf", "--wide", "--notes", Self.library).split(separator: "\n").map { String($0) }
    let name = try #require(lines.firstIndex { $0.hasSuffix("Name: throw") })
    #expect(found.count == 1 && lines[name + 2].hasSuffix("Arguments: \(found[0].arguments)"), "\(lines[name + 2])")
    #expect(try StaticProbe.all(in: file.rawSpan, provider: "libstdcxx", name: "no_such_place").isEmpty)
    // Any bytes at all end in an answer.
    for count in stride(from: 0, to: 4096, by: 61) {
      let cut = Array(file[..<count])
      _ = try? StaticProbe.all(in: cut.rawSpan, provider: "libstdcxx", name: "throw")
    }
  }

  @Test(arguments: [
    ("8@%rdi", UInt64(0), UInt32(1), UInt16(112), UInt8(0), UInt8(0)),
    ("-4@%r12d", 0, 1, 24, 1, 32), ("2@%ax", 0, 1, 80, 0, 48), ("1@%r9b", 0, 1, 64, 0, 56),
    ("-8@-80(%rbx)", UInt64(bitPattern: -80), 2, 40, 1, 0), ("4@(%rsp)", 0, 2, 152, 0, 32),
    ("-4@$-1", UInt64(bitPattern: -1), 0, 0, 1, 32),
  ])
  func readsArguments(text: String, value: UInt64, type: UInt32, register: UInt16, signed: UInt8, shift: UInt8) throws {
    let encoded = try #require(StaticProbeArguments.encode(text))
    let span = encoded.rawSpan
    #expect(try span.u64(at: 0) == value && span.u32(at: 8) == type && span.u16(at: 12) == register)
    #expect(encoded[14] == signed && encoded[15] == shift && encoded.count == 208 && encoded[200] == 1)
  }

  @Test(arguments: ["3@%rax", "8", "8@", "8@%xmm0", "8@foo(%rip", "8@$", "8@1(%rax,%rbx,4)", "x@%rax"])
  func refusesArgumentsItDoesNotUnderstand(text: String) {
    #expect(StaticProbeArguments.encode(text) == nil)
  }

  @Test(arguments: [
    ("libstdc++.so.6:libstdcxx:nothing", "load.no-attach-place"), ("/etc/passwd:a:b", "load.no-attach-place"),
    ("libstdc++.so.6:libstdcxx", "load.attach-target"),
  ])
  func saysWhatIsWrong(target: String, code: String) {
    do {
      _ = try load(["on_any"], target)
      Issue.record("attached")
    } catch {
      #expect(error.diagnostic.code == code, "\(error.diagnostic)")
    }
  }
}
