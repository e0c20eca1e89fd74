internal import Base
public import Gate
internal import KernelABI
internal import Linux

/// Reading what a gate is and has seen.
public enum GateSurvey {
  /// What is known of the gate on this machine.
  ///
  /// - Throws: ``GateError``.
  public static func status(at path: String = GateLayout.pinPath) throws(GateError) -> GateStatus {
    let gate = try InstalledGate.open(path, readOnly: true)
    var facts = GateStatus.Facts(state: try gate.state())
    facts.counters = try gate.counters()
    let executables = try gate.entries(of: .executables)
    facts.executables = executables.count { GateTables.rights(of: $0) != .modules }
    facts.judging = executables.count { GateTables.rights(of: $0) == .judging }
    facts.moduleVolumes = executables.count - facts.executables
    for row in try gate.entries(of: .digests) {
      facts.digests += 1
      let digest = GateTables.digest(of: row)
      if digest.isRelocated { facts.relocated += 1 }
      if digest.isPredicted { facts.predicted += 1 }
      if digest.isShort { facts.shortDigests += 1 }
    }
    facts.scopes = try gate.entries(of: .scopes).count
    facts.devices = try gate.entries(of: .devices).compactMap { GateDevice($0) }
    facts.release = KernelReports.runningRelease()
    facts.lockdown = KernelSettings.lockdownMode()
    facts.hasBPFModule = KernelProbes.securityModuleIDs().map { $0.contains(SecurityModule.bpf.rawValue) }
    facts.earlierPrograms = earlierPrograms(gate)
    return GateStatus(facts)
  }

  /// The gate's programs have numbers that the kernel gave one after another; those before are earlier.
  private static func earlierPrograms(_ gate: InstalledGate) -> Int? {
    guard let own = try? gate.entries(of: .own), let ids = try? BPF.programIDs() else { return nil }
    let programs = own.compactMap { GateTables.program(ofPart: $0) }
    guard let first = programs.min() else { return nil }
    return ids.count { $0 < first }
  }

  /// What the gate has recorded and no reader has taken, and whether one took others before.
  public static func watched(at path: String = GateLayout.pinPath) throws(GateError) -> (
    events: [GateEvent], taken: Bool
  ) {
    let records = try InstalledGate.open(path, readOnly: true).records()
    return (records.look().compactMap { try? GateEvent($0.rawSpan) }, records.taken > 0)
  }
}

extension GateSurvey {
  /// How many records found no place in the buffer since the gate was loaded.
  public static func lostRecords(at path: String = GateLayout.pinPath) throws(GateError) -> UInt64 {
    try InstalledGate.open(path, readOnly: true).counters()[.lost] ?? 0
  }
}
