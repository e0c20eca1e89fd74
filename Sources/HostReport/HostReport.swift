internal import KernelABI
public import Base

/// A host judged by what it says of itself: which guarantees can be had on it, which cannot, and how to get them.
public struct HostReport: Equatable, Sendable {
  /// Something this project does, and whether this host lets it.
  public struct Ability: Equatable, Sendable {
    public enum Answer: String, Sendable {
      case yes, no, unknown
    }
    /// A stable name.
    public let id: String
    public let title: String
    public let answer: Answer
    /// On what, when it is not a plain yes.
    public let reason: String?
  }

  public let release: String
  public let findings: [Finding]
  public let abilities: [Ability]

  /// Judges.
  public init(_ facts: HostFacts) {
    release = facts.release
    let judged: [Finding?] = [
      facts.lockdown, facts.secureBoot, facts.moduleSignatures, facts.securityModules, facts.integrityPolicy,
      facts.trustedKeys, facts.deviceMapper, facts.rootHashSignatures, facts.requiredSignatures, facts.verityKeyring,
      facts.loopDevices, facts.bpf, facts.kernelGate, facts.installedTrust, facts.pins, facts.kernelTypes,
      facts.programSignatures,
      facts.fsVerity,
    ]
    findings = judged.compactMap { $0 }
    abilities = Self.abilities(of: facts, findings)
  }

  /// The class of the whole: unsupported when there is a gap, else incomplete when something could not be read; nil
  /// when there is neither.
  public var category: Diagnostic.Category? {
    if findings.contains(where: { $0.state == .gap }) { return .unsupported }
    return findings.contains { $0.state == .unknown } ? .incomplete : nil
  }

  private static func abilities(of facts: HostFacts, _ findings: [Finding]) -> [Ability] {
    // What does not apply to a host has no finding there.
    func state(_ id: String) -> Finding.State? { findings.first { $0.id == id }?.state }
    func ability(_ id: String, _ title: String, needs: [String]) -> Ability {
      let missing = needs.filter { state($0) == .gap }
      let unread = needs.filter { state($0) == .unknown }
      let answer: Ability.Answer = !missing.isEmpty ? .no : unread.isEmpty ? .yes : .unknown
      let reasons = missing.isEmpty ? unread : missing
      return Ability(
        id: id, title: title, answer: answer, reason: reasons.isEmpty ? nil : reasons.joined(separator: ", "))
    }
    let mayLoad = facts.probes[.unsigned]
    return [
      Ability(
        id: "prove", title: "prove objects inside images, by this process", answer: .yes, reason: nil),
      Ability(
        id: "load", title: "load programs, as the user who asks",
        answer: mayLoad == .taken ? (state("bpf") == .gap ? .unknown : .yes) : mayLoad == nil ? .unknown : .no,
        reason: mayLoad == .taken
          ? (facts.hasAllLoadCapabilities ? nil : "without CAP_BPF and CAP_PERFMON, few kinds")
          : "bpf"),
      ability("witness", "the kernel as second witness (dm-verity)", needs: ["dm-verity"]),
      ability(
        "root-hash-signature", "root-hash signatures that the kernel checks",
        needs: ["dm-verity", "dm-verity-signatures", "keyrings"]),
      ability("program-signature", "BPF signatures that the kernel checks", needs: ["bpf-signatures"]),
      ability("execution", "only trusted programs run, the loader among them", needs: ["ipe", "lockdown"]),
      ability("gate", "put a gate in the kernel before every load (BPF LSM)", needs: ["security-modules"]),
    ]
  }
}

extension HostFacts {
  var hasAllLoadCapabilities: Bool {
    guard let capabilities else { return false }
    return capabilities.contains(Capability.sysAdmin.name)
      || [Capability.bpf, .perfmon].allSatisfy { capabilities.contains($0.name) }
  }
}
