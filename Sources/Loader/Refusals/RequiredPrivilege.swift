internal import BPFObject
internal import Base
internal import KernelABI

/// Which capabilities a load needs, by the types of its programs and by what the analysis found.
struct RequiredPrivilege: Equatable, Sendable {
  /// CAP_BPF among them.
  let capabilities: [Capability]
  /// Whether all are of types that need none where kernel.unprivileged_bpf_disabled is 0.
  let isUnprivilegedKind: Bool

  /// - Parameter found: what the analysis of their instructions and maps adds.
  init(kinds: [ProgramKind], found: Set<Capability> = []) {
    let needed = kinds.reduce(into: found.union([.bpf])) { $0.formUnion($1.type.capabilities) }
    capabilities = needed.sorted { $0.rawValue > $1.rawValue }
    isUnprivilegedKind =
      !kinds.isEmpty && kinds.allSatisfy(\.type.isUnprivileged) && found.isSubset(of: [.bpf])
  }
}

extension VerifierLog {
  /// What a process lacks, by the verifier's own words: some instructions are for a process with CAP_PERFMON alone
  /// (kernel/bpf/verifier.c, bpf_allow_ptr_leaks, bypass_spec_v1), and calls of functions for one with CAP_BPF.
  ///
  /// - Parameters:
  ///   - held: the effective capabilities; nil where they are not known.
  ///   - analysis: what the analysis found that the object needs: it tells reads of the stack before it is written from those
  ///     outside of it, which no capability allows.
  func neededCapabilities(held: Set<Capability>?, analysis: Set<Capability> = []) -> [Capability] {
    guard let held, held.isDisjoint(with: [.sysAdmin]) else { return [] }
    let restrictions = Self.restrictions + (analysis.contains(.perfmon) ? Self.stackRestrictions : [])
    let found = restrictions.filter { words, needed in
      !held.contains(needed) && sentences.contains { $0.mentions(words) }
    }
    return Set(found.map(\.needed)).sorted { $0.rawValue > $1.rawValue }
  }

  private static let stackRestrictions: [(words: String, needed: Capability)] = [
    ("invalid read from stack", .perfmon), ("invalid indirect read from stack", .perfmon),
  ]

  /// How the verifier says that privilege lacks. Other operations on pointers are prohibited to every process.
  private static let restrictions: [(words: String, needed: Capability)] = [
    ("pointer comparison prohibited", .perfmon), (" pointer prohibited", .perfmon), ("!root", .perfmon),
    ("leaks addr", .perfmon), ("partial copy of pointer", .perfmon), ("corrupt spilled pointer", .perfmon),
    (Capability.bpf.name, .bpf), (Capability.perfmon.name, .perfmon),
  ]
}
