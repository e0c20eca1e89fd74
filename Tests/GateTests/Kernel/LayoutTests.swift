import BPFObject
import BPFTestSupport
import Base
import Gate
import KernelABI
import Testing

/// What gate.h says in C, and Gate in Swift: one layout in two languages, held together by the types that clang writes.
struct LayoutTests {
  private static let structures = [
    "gate_state", "gate_device", "gate_executable", "gate_right", "gate_digest", "gate_relocated", "gate_scope",
    "gate_calls", "gate_part", "gate_event",
  ]
  private static let enumerations = ["gate_hook", "gate_reason", "gate_verdict", "gate_counter"]

  private static func types() throws -> BTF {
    let declarations =
      (structures.map { "struct \($0) a_\($0);" } + enumerations.map { "enum \($0) a_\($0);" }).joined(separator: "\n")
    let source = """
      #include "gate.h"
      \(declarations)
      SEC("socket") int program(void *context) { return a_gate_state.mode; }
      char LICENSE[] SEC("license") = "GPL";
      """
    let bytes = try TestObject.compile(source: source, flags: ["-I", "\(TestObject.root)/images/gate/include"])
    let types = try BPFObject.link(bytes: bytes.rawSpan).btf
    return try BTF(types.rawSpan)
  }

  @Test func structuresHaveTheSizesOfKeysAndValues() throws {
    let types = try Self.types()
    func size(_ name: String) throws -> Int {
      let id = try #require(types.typeID(named: name, kind: .structure), "\(name)")
      return Int(try #require(try types.size(of: id)))
    }
    let expected: [(String, Int)] = [
      ("gate_state", GateMap.state.valueSize), ("gate_device", GateMap.devices.valueSize),
      ("gate_executable", GateMap.executables.keySize), ("gate_right", GateMap.executables.valueSize),
      ("gate_digest", GateMap.digests.keySize), ("gate_relocated", GateMap.digests.valueSize),
      ("gate_scope", GateMap.scopes.keySize), ("gate_calls", GateMap.scopes.valueSize),
      ("gate_part", GateMap.own.keySize), ("gate_event", GateLayout.eventSize),
    ]
    #expect(expected.map(\.0) == Self.structures)
    for (name, bytes) in expected { #expect(try size(name) == bytes, "\(name)") }
  }

  @Test func fieldsAreWhereTheyAreReadAndWritten() throws {
    let types = try Self.types()
    func offsets(_ name: String) throws -> [String: Int] {
      let id = try #require(types.typeID(named: name, kind: .structure))
      let members = try types.members(of: types.resolved(id))
      return Dictionary(
        try members.map { (try types.string(at: $0.nameOffset), Int($0.bitOffset / 8)) },
        uniquingKeysWith: { first, _ in first })
    }
    let state = try offsets("gate_state")
    #expect(state["version"] == 0 && state["mode"] == 4 && state["sealed"] == 8 && state["closes"] == 12)
    #expect(state["mount_namespace"] == 16 && state["pin_device"] == 24)
    let device = try offsets("gate_device")
    #expect(device["root_hash"] == 0 && device["hash_size"] == 64 && device["events"] == 68 && device["flags"] == 72)
    let digest = try offsets("gate_digest")
    #expect(digest["type"] == 32 && digest["attach_type"] == 36 && digest["core_relos"] == 40)
    #expect(digest["attach_btf_id"] == 44 && digest["alternative"] == 48)
    let relocated = try offsets("gate_relocated")
    #expect(
      relocated["after_core"] == 0 && relocated["btf"] == 32 && relocated["flags"] == 64 && relocated["row"] == 68)
    let event = try offsets("gate_event")
    let read: [(String, Int)] = [
      ("time", 0), ("process", 8), ("thread", 12), ("user", 16), ("hook", 20), ("reason", 24), ("verdict", 28),
      ("command", 32), ("device", 48), ("type", 52), ("inode", 56), ("attach_type", 64), ("attach_btf_id", 68),
      ("core_relos", 72), ("instructions", 76), ("row", 80), ("sha256", 88), ("root_hash", 120),
    ]
    for (name, offset) in read { #expect(event[name] == offset, "\(name)") }
    #expect(event.count == read.count + 1)
  }

  @Test func numbersHaveTheSameMeanings() throws {
    let types = try Self.types()
    func values(_ name: String) throws -> Set<UInt32> {
      let id = try #require(types.typeID(named: name, kind: .enumeration))
      let type = try types.resolved(id)
      return Set(
        try (0..<type.vlen).compactMap {
          try types.enumerator($0, of: type).map { UInt32(truncatingIfNeeded: $0.value) }
        })
    }
    #expect(try values("gate_hook") == Set(GateHook.allCases.map(\.rawValue)))
    #expect(try values("gate_reason") == Set(GateReason.allCases.map(\.rawValue)))
    #expect(try values("gate_verdict") == Set(GateVerdict.allCases.map(\.rawValue)))
    // With the number of counters behind them.
    #expect(
      try values("gate_counter") == Set(GateCounter.allCases.map(\.rawValue) + [UInt32(GateCounter.allCases.count)]))
  }
}
