public import Base
public import KernelABI

/// What a gate on one machine enforces, what it does not, and why: judged by what was read of it.
public struct GateStatus: Equatable, Sendable {
  /// What was read.
  public struct Facts: Equatable, Sendable {
    public var state: GateState
    /// Nil for a counter that could not be read.
    public var counters: [GateCounter: UInt64] = [:]
    public var executables = 0
    /// Executables whose row lets them load what they allow themselves.
    public var judging = 0
    /// Volumes that may bring kernel modules.
    public var moduleVolumes = 0
    public var digests = 0
    /// Digests with CO-RE records, and those of them of which the row says what CO-RE makes.
    public var relocated = 0
    public var predicted = 0
    /// Those among the predicted of which the kernel shows eight bytes alone.
    public var shortDigests = 0
    public var scopes = 0
    public var devices: [GateDevice] = []
    public var release: KernelRelease?
    /// Nil where it is not known.
    public var lockdown: LockdownMode?
    /// Nil where the list of security modules could not be read.
    public var hasBPFModule: Bool?
    /// Programs that were loaded before the gate's own; nil where they could not be listed.
    public var earlierPrograms: Int?

    public init(state: GateState) { self.state = state }
  }

  /// Whether something holds.
  public enum Answer: String, CaseIterable, Sendable {
    case yes, partly, no
  }

  /// Something that a gate can be relied on for.
  public struct Promise: Equatable, Sendable {
    /// A stable word for it.
    public let name: String
    public let subject: String
    public let answer: Answer
    /// What the answer rests on, or what is missing.
    public let reason: String
  }

  public let facts: Facts
  public let promises: [Promise]

  public init(_ facts: Facts) {
    self.facts = facts
    promises = [
      Self.loads(facts), Self.instructions(facts), Self.relocations(facts), Self.volumes(facts),
      Self.untilReboot(facts),
      Self.modules(facts), Self.earlier(facts), Self.records(facts),
    ]
  }

  public var standing: GateStanding { facts.state.standing }

  private static func loads(_ facts: Facts) -> Promise {
    let subject = "programs without a row are refused"
    let name = "loads"
    guard facts.state.isComplete else {
      return Promise(name: name, subject: subject, answer: .no, reason: "the installation did not come to its end")
    }
    if facts.hasBPFModule == false {
      return Promise(
        name: name, subject: subject, answer: .no, reason: "the kernel's list of security modules has no bpf")
    }
    switch facts.state.standing {
    case .watching:
      return Promise(name: name, subject: subject, answer: .no, reason: "the gate watches: `gate seal` makes it bind")
    case .enforcing, .sealed:
      return Promise(
        name: name, subject: subject, answer: .yes,
        reason:
          "\(facts.executables) executables, \(facts.digests) digests, \(facts.scopes) kinds of programs have rows; "
          + "classic BPF passes no gate")
    }
  }

  private static func instructions(_ facts: Facts) -> Promise {
    let subject = "a loader that was taken over loads nothing else"
    let name = "instructions"
    guard facts.state.enforces else {
      return Promise(name: name, subject: subject, answer: .no, reason: "the gate watches")
    }
    guard facts.judging == 0 else {
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: "\(facts.judging) executables load what they allow themselves (--mode loader)")
    }
    guard facts.state.isSealed else {
      return Promise(
        name: name, subject: subject, answer: .partly, reason: "the gate is not sealed, so root can write further rows")
    }
    guard facts.scopes == 0 else {
      return Promise(
        name: name, subject: subject, answer: .partly,
        reason: "\(facts.scopes) kinds of programs are admitted whatever their instructions are")
    }
    return Promise(
      name: name, subject: subject, answer: .yes,
      reason: "each load has the instructions of a row; maps, license and flags of a load are in no row")
  }

  private static func relocations(_ facts: Facts) -> Promise {
    let subject = "what CO-RE makes of the instructions is compared"
    let name = "relocations"
    guard facts.judging == 0, facts.scopes == 0 else {
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: "programs are admitted whatever their instructions are: \(facts.judging) executables, "
          + "\(facts.scopes) kinds of programs")
    }
    guard facts.relocated > 0 else {
      return Promise(name: name, subject: subject, answer: .yes, reason: "no program with a row has CO-RE records")
    }
    let open = facts.relocated - facts.predicted
    if open > 0 {
      return Promise(
        name: name, subject: subject, answer: .partly,
        reason: "of \(open) of \(facts.relocated) programs with records the result on this kernel could not be told "
          + "beforehand: their number of records and their types are compared")
    }
    if facts.shortDigests > 0 {
      return Promise(
        name: name, subject: subject, answer: .partly,
        reason: "this kernel shows 64 bits of SHA-1 (Linux 6.18 has SHA-256); the types are compared in full")
    }
    return Promise(
      name: name, subject: subject, answer: .yes, reason: "\(facts.predicted) programs, by SHA-256, and their types")
  }

  private static func volumes(_ facts: Facts) -> Promise {
    let subject = "volumes are known by what the kernel announced"
    let name = "volumes"
    let bad = facts.devices.filter { !$0.counts }
    let seeded = facts.devices.filter { $0.isSeeded }
    var reasons = ["\(facts.devices.count - seeded.count) were announced"]
    if !seeded.isEmpty {
      reasons.append(
        "\(seeded.count) were open before the gate, and rest on our own verification at the installation "
          + "(\(seeded.map { "\($0.major):\($0.minor)" }.joined(separator: ", ")))")
    }
    if !bad.isEmpty {
      let names = bad.map {
        "\($0.major):\($0.minor) \($0.isTainted ? "announced again" : "not failing on corruption")"
      }
      reasons.append("\(bad.count) do not count (\(names.joined(separator: ", ")))")
    }
    return Promise(
      name: name, subject: subject, answer: seeded.isEmpty ? .yes : .partly, reason: reasons.joined(separator: "; "))
  }

  private static func untilReboot(_ facts: Facts) -> Promise {
    let subject = "nothing takes the gate away before the next reboot"
    let name = "until-reboot"
    guard facts.state.standing == .sealed else {
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: "it is not sealed: `verity-bpf unload --pin-path \(GateLayout.pinPath)` takes it away")
    }
    guard facts.state.closesModules || facts.lockdown.map({ $0 != .none }) == true else {
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: "a module or another kernel can: the kernel is not locked down, and the gate does not close them")
    }
    guard facts.state.mountNamespace != 0 else {
      return Promise(
        name: name, subject: subject, answer: .partly,
        reason: "the initial mount namespace was not known, in which unmounting the pins is refused")
    }
    return Promise(
      name: name, subject: subject, answer: .yes,
      reason: "its maps are frozen, its parts closed; rows admit no image or loader that was not planned with")
  }

  private static func modules(_ facts: Facts) -> Promise {
    let subject = "unsigned modules and other kernels stay out"
    let name = "modules"
    if let lockdown = facts.lockdown, lockdown != .none {
      return Promise(name: name, subject: subject, answer: .yes, reason: "lockdown is \(lockdown.rawValue)")
    }
    guard facts.state.closesModules, facts.state.isSealed else {
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: facts.lockdown == nil ? "whether the kernel is locked down is not known" : "lockdown is none")
    }
    let others = facts.moduleVolumes == 0 ? "" : ", except modules of \(facts.moduleVolumes) volumes"
    return Promise(name: name, subject: subject, answer: .yes, reason: "the gate refuses them\(others)")
  }

  private static func earlier(_ facts: Facts) -> Promise {
    let subject = "programs that were there before the gate are none"
    let name = "earlier"
    switch facts.earlierPrograms {
    case 0?: return Promise(name: name, subject: subject, answer: .yes, reason: "none is loaded")
    case .some(let count):
      return Promise(
        name: name, subject: subject, answer: .no, reason: "\(count) are loaded, which no row was asked about (`ps`)")
    case nil: return Promise(name: name, subject: subject, answer: .no, reason: "the programs could not be listed")
    }
  }

  private static func records(_ facts: Facts) -> Promise {
    let subject = "every decision is on record"
    let name = "records"
    switch facts.counters[.lost] {
    case 0?:
      return Promise(
        name: name, subject: subject, answer: .yes,
        reason: "no record was lost; `gate events` writes them to the audit log")
    case .some(let lost):
      return Promise(
        name: name, subject: subject, answer: .no,
        reason: "\(lost) were lost before they were read: run `gate events --follow`")
    case nil: return Promise(name: name, subject: subject, answer: .no, reason: "the counters could not be read")
    }
  }
}

extension GateStatus {
  /// The same as members of a JSON object.
  public var jsonMembers: [JSONValue.Member] {
    let counters = GateCounter.allCases.map { counter in
      JSONValue.Member(counter.word, facts.counters[counter].map { .unsigned($0) } ?? .null)
    }
    return [
      .init("standing", .string(standing.rawValue)), .init("complete", .bool(facts.state.isComplete)),
      .init(
        "rows",
        [
          "executables": .integer(Int64(facts.executables)), "judging": .integer(Int64(facts.judging)),
          "digests": .integer(Int64(facts.digests)), "scopes": .integer(Int64(facts.scopes)),
        ]),
      .init("counters", .object(counters)),
      .init(
        "devices",
        .array(
          facts.devices.map {
            [
              "device": .string("\($0.major):\($0.minor)"), "root_hash": .string($0.rootHash.description),
              "events": .integer(Int64($0.events)), "seeded": .bool($0.isSeeded), "counts": .bool($0.counts),
            ]
          })),
      .init(
        "promises",
        .array(
          promises.map {
            [
              "name": .string($0.name), "subject": .string($0.subject), "holds": .string($0.answer.rawValue),
              "reason": .string($0.reason),
            ]
          })),
    ]
  }
}
