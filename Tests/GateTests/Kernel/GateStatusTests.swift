import Base
import Gate
import KernelABI
import Testing

/// What a status promises, and when it does not.
struct GateStatusTests {
  private static func facts(_ change: (inout GateStatus.Facts) -> Void = { _ in }) -> GateStatus.Facts {
    var facts = GateStatus.Facts(
      state: GateState(enforces: true, isSealed: true, mountNamespace: 1, pinDevice: 30))
    facts.counters = [.lost: 0, .refused: 1, .passed: 2]
    facts.hasBPFModule = true
    facts.lockdown = .integrity
    facts.earlierPrograms = 0
    change(&facts)
    return facts
  }

  private static func answers(_ change: (inout GateStatus.Facts) -> Void = { _ in }) -> [String: GateStatus.Answer] {
    Dictionary(
      GateStatus(facts(change)).promises.map { ($0.name, $0.answer) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func everythingHoldsOnASealedGate() {
    #expect(Self.answers().values.allSatisfy { $0 == .yes }, "\(Self.answers())")
    #expect(GateStatus(Self.facts()).standing == .sealed)
  }

  private typealias Change = @Sendable (inout GateStatus.Facts) -> Void

  private static let missing: [(name: String, answer: GateStatus.Answer, change: Change)] = [
    ("loads", .no, { $0.state.enforces = false }), ("loads", .no, { $0.state.version = 0 }),
    ("loads", .no, { $0.hasBPFModule = false }), ("instructions", .no, { $0.judging = 1 }),
    ("instructions", .partly, { $0.state.isSealed = false }), ("instructions", .partly, { $0.scopes = 1 }),
    ("relocations", .no, { $0.judging = 1 }), ("relocations", .no, { $0.scopes = 1 }),
    ("relocations", .partly, { ($0.relocated, $0.predicted) = (2, 1) }),
    ("relocations", .partly, { ($0.relocated, $0.predicted, $0.shortDigests) = (1, 1, 1) }),
    ("until-reboot", .no, { $0.state.isSealed = false }), ("until-reboot", .no, { $0.lockdown = LockdownMode.none }),
    ("until-reboot", .partly, { $0.state.mountNamespace = 0 }), ("modules", .no, { $0.lockdown = nil }),
    ("earlier", .no, { $0.earlierPrograms = 3 }), ("earlier", .no, { $0.earlierPrograms = nil }),
    ("records", .no, { $0.counters[.lost] = 4 }), ("records", .no, { $0.counters = [:] }),
  ]

  @Test func eachThingThatIsMissingIsSaid() {
    for (name, answer, change) in Self.missing { #expect(Self.answers(change)[name] == answer, "\(name)") }
  }

  @Test func closedModulesStandInForLockdown() {
    let answers = Self.answers {
      $0.lockdown = LockdownMode.none
      $0.state.closesModules = true
    }
    #expect(answers["modules"] == .yes && answers["until-reboot"] == .yes)
  }

  @Test func seededVolumesRestOnOurVerification() throws {
    let rootHash = try #require(Digest(.sha256, bytes: [UInt8](repeating: 5, count: 32)))
    let device = GateDevice(seeding: rootHash, major: 253, minor: 1)
    #expect(Self.answers { $0.devices = [device] }["volumes"] == .partly)
    var announced = device
    (announced.isSeeded, announced.isTainted) = (false, true)
    let status = GateStatus(Self.facts { $0.devices = [announced] })
    #expect(status.promises.contains { $0.name == "volumes" && $0.reason.contains("253:1 announced again") })
  }
}
