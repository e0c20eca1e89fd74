internal import BPFObject
internal import KernelABI

/// Which capabilities a load needs, by the types of its programs.
struct RequiredPrivilege: Equatable, Sendable {
  /// The capabilities the program types ask for, CAP_BPF among them.
  let capabilities: [Capability]
  /// Whether all are of types that need none where kernel.unprivileged_bpf_disabled is 0.
  let isUnprivilegedKind: Bool

  init(kinds: [ProgramKind]) {
    let needed = kinds.reduce(into: Set([Capability.bpf])) { $0.formUnion($1.type.capabilities) }
    capabilities = needed.sorted { $0.rawValue > $1.rawValue }
    isUnprivilegedKind = !kinds.isEmpty && kinds.allSatisfy(\.type.isUnprivileged)
  }
}
