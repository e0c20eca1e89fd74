import BPFAnalysis
import BPFObject
import Base
import Gate
import KernelABI
import Testing

/// Rows as bytes of the gate's maps, read back here field by field as gate.h lays them out.
struct TablesTests {
  private let tool = GateSamples.executable(0, on: 1)

  private static func digest(_ byte: UInt8) throws -> Digest {
    try #require(Digest(.sha256, bytes: [UInt8](repeating: byte, count: 32)))
  }

  private static func row(
    _ byte: UInt8 = 7, type: String = "tracing", attachType: String? = "trace_fentry", target: String? = "do_exit",
    records: Int = 0, types: Digest? = nil, afterCore: GateRows.AfterCore? = nil
  ) throws -> GateRows.DigestRow {
    GateRows.DigestRow(
      instructions: SubmittedInstructions(digest: try digest(byte), count: 4, coreRelocations: records), type: type,
      attachType: attachType, attachTarget: target.map { .init(name: $0, kind: .function) }, types: types,
      afterCore: afterCore,
      sources: [GateRows.Source(image: "i.raw", object: "o.bpf.o", program: "p", line: 3)])
  }

  private static func words(_ bytes: some Collection<UInt8>) -> [UInt32] {
    let bytes = Array(bytes)
    return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
  }

  @Test func entriesHaveTheSizesOfTheirMaps() throws {
    var rows = GateRows()
    rows.executables = [GateRows.ExecutableRow(tool, .judging), GateRows.ExecutableRow(tool, .programs(.all, line: 9))]
    rows.classes = [
      GateRows.ClassRow(ProgramScope(types: [.init(type: "xdp", attachTypes: nil)], helpers: []), line: 2)
    ]
    rows.digests = [try Self.row()]
    let tables = GateTables(rows) { _ in 77 }
    #expect(tables.omissions.isEmpty)
    for map in [GateMap.executables, .digests, .scopes] {
      #expect(!tables.entries(of: map).isEmpty)
      for entry in tables.entries(of: map) {
        #expect(entry.key.count == map.keySize && entry.value.count == map.valueSize, "\(map)")
      }
    }
    let device = GateDevice(seeding: tool.identity.rootHash, major: 253, minor: 0x12345)
    #expect(device.entry.key.count == GateMap.devices.keySize && device.entry.value.count == GateMap.devices.valueSize)
    #expect(Self.words(device.entry.key) == [253 << 20 | 0x12345])
    #expect(GateDevice(device.entry) == device)
    #expect(GateState().value.count == GateMap.state.valueSize)
  }

  @Test func oneExecutableHasOneEntryWithAllItsRights() throws {
    var rows = GateRows()
    rows.executables = [
      GateRows.ExecutableRow(tool, .listed),
      GateRows.ExecutableRow(
        tool,
        .programs(ProgramScope(types: [.init(type: "kprobe", attachTypes: [nil])], helpers: ["ktime_get_ns"]), line: 5)),
    ]
    let tables = GateTables(rows) { _ in nil }
    let entry = try #require(tables.executables.first)
    #expect(tables.executables.count == 1)
    // Listed, scope, reader; the first scope that is no class.
    #expect(Self.words(entry.value) == [2 | 4 | 8, 1])
    #expect(Array(entry.key.prefix(32)) == tool.identity.rootHash.bytes)
    #expect(entry.key[32..<64].allSatisfy { $0 == 0 } && entry.key[64] == UInt8(tool.identity.inode))
    let scope = try #require(tables.scopes.first)
    #expect(Self.words(scope.key) == [1, ProgramType.kprobe.rawValue, 0, 0])
    // ktime_get_ns is helper 5.
    #expect(scope.value[0] == 1 << 5 && Self.words(scope.value)[8...] == [0, 5])
  }

  @Test func twoListsOfHelpersAreNotPutTogether() {
    let kprobe = [ProgramScope.TypeScope(type: "kprobe", attachTypes: nil)]
    func rows(_ lists: [[String]?]) -> GateTables {
      var rows = GateRows()
      rows.executables = lists.enumerated().map { index, helpers in
        GateRows.ExecutableRow(tool, .programs(ProgramScope(types: kprobe, helpers: helpers), line: index))
      }
      return GateTables(rows) { _ in nil }
    }
    let two = rows([["ktime_get_ns"], ["trace_printk"]])
    #expect(two.scopes.count == 2 && two.omissions.isEmpty)
    #expect(two.scopes.map { Self.words($0.key)[3] } == [0, 1])
    // What admits more takes the place of what admits less, in either order.
    #expect(rows([["ktime_get_ns"], ["ktime_get_ns", "trace_printk"]]).scopes.count == 1)
    #expect(rows([nil, ["ktime_get_ns"]]).scopes.map { Self.words($0.value)[8] } == [1])
    let many = rows(["map_lookup_elem", "map_update_elem", "ktime_get_ns", "trace_printk", "redirect"].map { [$0] })
    #expect(many.scopes.count == 4 && many.omissions.count == 1)
  }

  @Test(
    arguments: [
      ("cgroup_skb", "cgroup_inet_ingress", 0), ("cgroup_skb", nil, nil), ("kprobe", "cgroup_inet_ingress", nil),
      ("kprobe", nil, 0), ("cgroup_sock", nil, 2), ("sk_reuseport", nil, 39), ("xdp", "xdp", 37),
    ] as [(String, String?, UInt32?)])
  func attachTypesAreTheKernels(type: String, attachType: String?, number: UInt32?) {
    var rows = GateRows()
    rows.classes = [
      GateRows.ClassRow(ProgramScope(types: [.init(type: type, attachTypes: [attachType])], helpers: []), line: 1)
    ]
    let keys = GateTables(rows) { _ in nil }.scopes.map { Self.words($0.key)[2] }
    #expect(keys == (number.map { [$0] } ?? []))
  }

  @Test func digestsSayWhatIsComparedAfterRelocation() throws {
    var rows = GateRows()
    rows.digests = [
      try Self.row(1, records: 2, types: Self.digest(9), afterCore: .digest(Self.digest(8))),
      try Self.row(2, records: 1, types: Self.digest(9), afterCore: .tag([1, 2, 3, 4, 5, 6, 7, 8])),
      try Self.row(3, records: 1), try Self.row(4, type: "xdp", attachType: "xdp", target: nil),
    ]
    let tables = GateTables(rows) { _ in 77 }
    #expect(tables.digests.map { Self.words($0.value[64...])[0] } == [1 | 2, 1 | 2 | 4, 0, 0])
    #expect(tables.digests.map { Self.words($0.key[32...]) }[0] == [26, 24, 2, 77, 0])
    #expect(tables.digests.map { Self.words($0.key[32...]) }[3] == [6, 37, 0, 0, 0])
    #expect(tables.relocatedDigests == 3 && tables.predictedDigests == 2)
    #expect(Array(tables.digests[1].value.prefix(9)) == [1, 2, 3, 4, 5, 6, 7, 8, 0])
    #expect(tables.digests.map { GateTables.digest(of: $0).isRelocated } == [true, true, true, false])
    #expect(tables.digests.map { GateTables.digest(of: $0).isShort } == [false, true, false, false])
  }

  @Test func twinsHaveAlternativesAndWhatTheKernelHasNotIsLeftOut() throws {
    var rows = GateRows()
    rows.digests = try (0..<6).map { try Self.row(1, records: 1, types: Self.digest($0)) }
    let tables = GateTables(rows) { _ in 77 }
    #expect(tables.digests.map { Self.words($0.key[32...])[4] } == [0, 1, 2, 3])
    #expect(tables.omissions.count == 2)
    let none = GateTables(rows) { _ in nil }
    #expect(none.digests.isEmpty && none.omissions.count == 6)
    #expect(none.omissions[0].contains("do_exit"))
  }

  @Test func modesChangeLoadersAlone() throws {
    var rows = GateRows()
    rows.executables = [
      GateRows.ExecutableRow(tool, .listed),
      GateRows.ExecutableRow(GateSamples.executable(1, on: 1), .programs(.all, line: 2)),
    ]
    let tables = GateTables(rows) { _ in nil }
    let judging = tables.executables.map { GateTables.changing($0, to: .loader) }
    #expect(judging.map { GateTables.rights(of: $0) } == [.judging, .other])
    #expect(Self.words(judging[0].value)[0] == 1 | 8)
    #expect(judging.map { GateTables.changing($0, to: .digests) } == tables.executables)
  }

  @Test func stateIsReadAsItWasWritten() {
    let state = GateState(enforces: true, isSealed: true, closesModules: true, mountNamespace: 1 << 40, pinDevice: 31)
    #expect(GateState(value: state.value) == state && state.standing == .sealed)
    #expect(Self.words(state.value) == [1, 1, 1, 1, 0, 256, 31, 0, 0, 0])
    #expect(GateState(value: [1]) == nil)
    let empty = GateState(value: [UInt8](repeating: 0, count: 40))
    #expect(empty?.isComplete == false && empty?.standing == .watching)
  }
}
